#pragma once

#include <cstdint>

namespace wsi::nn {

/// A map in memory: [rows, columns, stride] float32, of which each pixel's first channels count.
struct MapView {
    float* data = nullptr;
    int64_t rows = 0, columns = 0, stride = 0;
    float* pixel(int64_t row, int64_t column) const {
        return data + (row * columns + column) * stride;
    }
    int64_t pixels() const { return rows * columns; }
    /// The same pixels without their first `channels`.
    MapView from_channel(int64_t channel) const { return {data + channel, rows, columns, stride}; }
};

}  // namespace wsi::nn
