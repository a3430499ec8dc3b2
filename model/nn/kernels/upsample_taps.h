#pragma once

#include <cstdint>
#include <vector>

namespace wsi::nn {

/// What a 3x3 convolution (padding 1) of a map that was upsampled bilinearly by a whole factor
/// (align_corners = false) makes, without the upsampled map: interpolation commutes with the mixing
/// of channels, so the nine taps are 1x1 convolutions of the small map, and each of them is
/// interpolated, shifted by its tap, zero outside, and summed (docs/models.md).
struct UpsampleTaps {
    int64_t rows = 0, columns = 0;  ///< of the small map
    int64_t channels = 0;           ///< of the result
    int64_t factor = 1;

    /// taps     [rows, columns, stride_taps] float32; per pixel [3 ky, 3 kx, channels] lead
    /// bias     [channels]
    /// out      [rows·factor, columns·factor, stride_out] float32: the first `channels` of each
    ///          pixel are set to max(0, sum + bias)
    /// scratch  resized as needed
    void operator()(const float* taps, int64_t stride_taps, const float* bias, float* out,
                    int64_t stride_out, std::vector<float>& scratch) const;
};

}  // namespace wsi::nn
