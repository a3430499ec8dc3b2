#include "model/nn/kernels/upsample_taps.h"

#include <algorithm>
#include <array>

namespace wsi::nn {

namespace {

/// A sum of six weighted places: three taps, each between two samples of the small map.
struct SixPlaces {
    std::array<int64_t, 6> at;
    std::array<float, 6> weight;
};

/// Along one axis, for position `i` of the large map: tap k reads position i + k - 1 of the
/// interpolated samples, or nothing outside. Sample s starts at s * stride, tap k's part at k *
/// tap.
SixPlaces places(int64_t i, int64_t samples, int64_t factor, int64_t stride, int64_t tap) {
    SixPlaces p{};
    for (int64_t k = 0; k < 3; ++k) {
        const int64_t large = i + k - 1;
        const auto slot = static_cast<size_t>(2 * k);
        p.at[slot] = p.at[slot + 1] = k * tap;
        if (large < 0 || large >= samples * factor) continue;
        const float source =
            std::max(0.0F, (static_cast<float>(large) + 0.5F) / static_cast<float>(factor) - 0.5F);
        const auto low = static_cast<int64_t>(source);
        p.at[slot] += low * stride;
        p.at[slot + 1] += std::min(low + 1, samples - 1) * stride;
        p.weight[slot + 1] = source - static_cast<float>(low);
        p.weight[slot] = 1 - p.weight[slot + 1];
    }
    return p;
}

inline float sum_of(const SixPlaces& p, const float* in, int64_t c) {
    return (p.weight[0] * in[p.at[0] + c] + p.weight[1] * in[p.at[1] + c]) +
           (p.weight[2] * in[p.at[2] + c] + p.weight[3] * in[p.at[3] + c]) +
           (p.weight[4] * in[p.at[4] + c] + p.weight[5] * in[p.at[5] + c]);
}

/// Rows: out[x][kx, channel] = the vertical part for every column of the small map.
void sum_rows(const SixPlaces& p, const float* taps, int64_t stride_taps, int64_t columns,
              int64_t width, float* __restrict out) {
    for (int64_t x = 0; x < columns; ++x, taps += stride_taps, out += width)
        for (int64_t c = 0; c < width; ++c) out[c] = sum_of(p, taps, c);
}

template <int64_t kChannels>
void sum_columns(const std::vector<SixPlaces>& across, const float* row, const float* bias,
                 int64_t any_channels, float* __restrict out, int64_t stride_out) {
    const int64_t channels = kChannels > 0 ? kChannels : any_channels;
    for (const SixPlaces& p : across) {
        for (int64_t c = 0; c < channels; ++c) out[c] = std::max(0.0F, sum_of(p, row, c) + bias[c]);
        out += stride_out;
    }
}

auto columns_for(int64_t channels) {
    switch (channels) {
        case 16: return &sum_columns<16>;
        case 32: return &sum_columns<32>;
        case 64: return &sum_columns<64>;
        default: return &sum_columns<0>;
    }
}

}  // namespace

void UpsampleTaps::operator()(const float* taps, int64_t stride_taps, const float* bias, float* out,
                              int64_t stride_out, std::vector<float>& scratch) const {
    const int64_t width = 3 * channels;
    scratch.resize(static_cast<size_t>(columns * width));
    thread_local std::vector<SixPlaces> across;  // used again, like the scratch
    across.clear();
    for (int64_t x = 0; x < columns * factor; ++x)
        across.push_back(places(x, columns, factor, width, channels));
    const auto along = columns_for(channels);
    for (int64_t y = 0; y < rows * factor; ++y) {
        const SixPlaces down = places(y, rows, factor, columns * stride_taps, width);
        sum_rows(down, taps, stride_taps, columns, width, scratch.data());
        along(across, scratch.data(), bias, channels, out + y * columns * factor * stride_out,
              stride_out);
    }
}

}  // namespace wsi::nn
