#include "model/nn/kernels/pooling.h"

#include <algorithm>

namespace wsi::nn {

void max_pool_by_two(const MapView& in, int64_t channels, const MapView& out) {
    for (int64_t y = 0; y < out.rows; ++y)
        for (int64_t x = 0; x < out.columns; ++x) {
            const float* a = in.pixel(2 * y, 2 * x);
            const float* b = in.pixel(2 * y + 1, 2 * x);
            float* __restrict to = out.pixel(y, x);
            for (int64_t c = 0; c < channels; ++c)
                to[c] =
                    std::max(std::max(a[c], a[c + in.stride]), std::max(b[c], b[c + in.stride]));
        }
}

void binomial_blur(const MapView& in, int64_t channels, const MapView& out) {
    for (int64_t y = 0; y < in.rows; ++y) {
        const int64_t above = std::max<int64_t>(y - 1, 0), below = std::min(y + 1, in.rows - 1);
        for (int64_t x = 0; x < in.columns; ++x) {
            const int64_t left = std::max<int64_t>(x - 1, 0);
            const int64_t right = std::min(x + 1, in.columns - 1);
            const auto row = [&](int64_t at, int64_t c) {
                return in.pixel(at, left)[c] + 2 * in.pixel(at, x)[c] + in.pixel(at, right)[c];
            };
            float* __restrict to = out.pixel(y, x);
            for (int64_t c = 0; c < channels; ++c)
                to[c] = (row(above, c) + 2 * row(y, c) + row(below, c)) * 0.0625F;
        }
    }
}

}  // namespace wsi::nn
