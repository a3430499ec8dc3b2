#include "model/nn/kernels/winograd.h"

#include <algorithm>

#include "config/error.h"
#include "model/nn/kernels/lanes.h"

namespace wsi::nn {

namespace {

/// G g G^T: the 36 places of one filter.
std::array<float, 36> transformed_filter(std::span<const float, 9> g) {
    constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                                 {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                 {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                 {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                 {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                 {0, 0, 1}};
    std::array<float, 36> out;
    for (size_t i = 0; i < 6; ++i)
        for (size_t j = 0; j < 6; ++j) {
            double sum = 0;
            for (size_t y = 0; y < 3; ++y)
                for (size_t x = 0; x < 3; ++x)
                    sum += kG[i][y] * kG[j][x] * static_cast<double>(g[3 * y + x]);
            out[6 * i + j] = static_cast<float>(sum);
        }
    return out;
}

/// B^T d along one axis.
template <class Value>
void transform_in(const Value d[6], Value out[6]) {
    const Value even = d[4] - 4.0F * d[2], odd = d[3] - 4.0F * d[1];
    const Value near_even = d[4] - d[2], near_odd = 2.0F * (d[3] - d[1]);
    out[0] = 4.0F * d[0] - 5.0F * d[2] + d[4];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = near_even + near_odd;
    out[4] = near_even - near_odd;
    out[5] = 4.0F * d[1] - 5.0F * d[3] + d[5];
}

/// A^T m along one axis.
void transform_out(const Lanes m[6], Lanes out[4]) {
    const Lanes near_sum = m[1] + m[2], near_difference = m[1] - m[2];
    const Lanes far_sum = m[3] + m[4], far_difference = m[3] - m[4];
    out[0] = m[0] + near_sum + far_sum;
    out[1] = near_difference + 2.0F * far_difference;
    out[2] = near_sum + 4.0F * far_sum;
    out[3] = near_difference + 8.0F * far_difference + m[5];
}

/// The 36 places of one patch, from its 36 pixels, for the channels that a Value holds.
template <class Value>
void patch_in(const std::array<const float*, 36>& pixels, int64_t channel, float* to,
              int64_t stride_place) {
    Value half[6][6];  // [column][row], rows done
    for (size_t y = 0; y < 6; ++y) {
        Value d[6], t[6];
        for (size_t x = 0; x < 6; ++x) d[x] = load<Value>(pixels[6 * y + x] + channel);
        transform_in(d, t);
        for (size_t x = 0; x < 6; ++x) half[x][y] = t[x];
    }
    for (size_t x = 0; x < 6; ++x) {
        Value t[6];
        transform_in(half[x], t);
        for (size_t y = 0; y < 6; ++y)
            store(to + static_cast<int64_t>(6 * y + x) * stride_place + channel, t[y]);
    }
}

/// The 4 x 4 results of one tile, row by row, with bias.
void tile_out(const float* from, int64_t stride_place, const float* bias, Lanes out[16]) {
    const auto offset = load<Lanes>(bias);
    Lanes half[4][6];
    for (size_t x = 0; x < 6; ++x) {
        Lanes m[6], t[4];
        for (size_t y = 0; y < 6; ++y)
            m[y] = load<Lanes>(from + static_cast<int64_t>(6 * y + x) * stride_place);
        transform_out(m, t);
        for (size_t y = 0; y < 4; ++y) half[y][x] = t[y];
    }
    for (size_t y = 0; y < 4; ++y) {
        transform_out(half[y], out + 4 * y);
        for (size_t x = 0; x < 4; ++x) out[4 * y + x] += offset;
    }
}

Lanes activated(Pointwise after, const Lanes& x, const Lanes& gate) {
    const Lanes zero{};
    switch (after) {
        case Pointwise::None: return x;
        case Pointwise::Relu: return max_of(x, zero);
        case Pointwise::LeakyRelu: return max_of(x, zero) + 0.01F * min_of(x, zero);
        case Pointwise::Swish: return x * sigmoid_of(x);
        case Pointwise::Glu: return x * sigmoid_of(gate);
    }
    return x;
}

/// Distance between places in memory: whole cache lines, an odd number of them, so that the 36
/// places of a patch do not all fall into the same lines of the cache.
int64_t odd_lines(int64_t floats) { return ((floats + 15) / 16 | 1) * 16; }

int64_t tiles_of(int64_t pixels) { return (pixels + 3) / 4; }

/// Both halves of a GLU are padded to whole vectors, so that they meet.
int64_t padded(int64_t channels) { return (channels + kLanes - 1) / kLanes * kLanes; }

}  // namespace

WinogradConv::WinogradConv(std::span<const float> weights, std::span<const float> bias, int64_t in,
                           Pointwise after)
    : in_(in), made_(static_cast<int64_t>(bias.size())), after_(after) {
    WSI_CHECK(static_cast<int64_t>(weights.size()) == made_ * in * 9);
    const int64_t half = after == Pointwise::Glu ? made_ / 2 : made_;
    const int64_t columns = after == Pointwise::Glu ? 2 * padded(half) : padded(half);
    const auto column = [&](int64_t o) { return o < half ? o : padded(half) + o - half; };
    std::array<std::vector<float>, kPlaces> places;
    for (auto& place : places) place.resize(static_cast<size_t>(in * columns));
    bias_.resize(static_cast<size_t>(columns));
    zeros_.resize(static_cast<size_t>(in));
    for (int64_t o = 0; o < made_; ++o) {
        bias_[static_cast<size_t>(column(o))] = bias[static_cast<size_t>(o)];
        for (int64_t i = 0; i < in; ++i) {
            const auto values = transformed_filter(
                weights.subspan(static_cast<size_t>((o * in + i) * 9)).first<9>());
            for (size_t p = 0; p < places.size(); ++p)
                places[p][static_cast<size_t>(i * columns + column(o))] = values[p];
        }
    }
    for (size_t p = 0; p < places.size(); ++p) weights_[p] = PackedMatrix(places[p], in, columns);
}

void WinogradConv::read_patch(const MapView& in, int64_t tile, float* to,
                              int64_t stride_place) const {
    const int64_t across = tiles_of(in.columns);
    const int64_t y0 = tile / across * kTile - 1, x0 = tile % across * kTile - 1;
    std::array<const float*, kPlaces> pixels;
    for (int64_t i = 0; i < kPlaces; ++i) {
        const int64_t y = y0 + i / kPatch, x = x0 + i % kPatch;
        const bool inside = y >= 0 && y < in.rows && x >= 0 && x < in.columns;
        pixels[static_cast<size_t>(i)] = inside ? in.pixel(y, x) : zeros_.data();
    }
    int64_t channel = 0;
    for (; channel + kLanes <= in_; channel += kLanes)
        patch_in<Lanes>(pixels, channel, to, stride_place);
    for (; channel < in_; ++channel) patch_in<float>(pixels, channel, to, stride_place);
}

void WinogradConv::write_tile(const float* from, int64_t stride_place, int64_t tile,
                              const MapView& out) const {
    const int64_t across = tiles_of(out.columns);
    const int64_t y0 = tile / across * kTile, x0 = tile % across * kTile;
    const int64_t rows = std::min(kTile, out.rows - y0),
                  columns = std::min(kTile, out.columns - x0);
    const int64_t channels = out_channels(), gate = padded(channels);
    Lanes values[16], gates[16];
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
        tile_out(from + channel, stride_place, bias_.data() + channel, values);
        if (after_ == Pointwise::Glu)
            tile_out(from + gate + channel, stride_place, bias_.data() + gate + channel, gates);
        const auto bytes =
            static_cast<size_t>(std::min(kLanes, channels - channel)) * sizeof(float);
        for (int64_t y = 0; y < rows; ++y)
            for (int64_t x = 0; x < columns; ++x) {
                const Lanes value = activated(after_, values[4 * y + x], gates[4 * y + x]);
                std::memcpy(out.pixel(y0 + y, x0 + x) + channel, &value, bytes);
            }
    }
}

/// Tiles that go through the matrices together. What is made of few tiles stays in the second
/// cache; large matrices have to be read from farther away and need more tiles to pay for it.
int64_t WinogradConv::group_of_tiles() const {
    const int64_t matrix = in_ * weights_[0].padded_columns();
    return matrix > int64_t{256} * 512 ? 96 : 24;
}

void WinogradConv::operator()(const MapView& in, const MapView& out,
                              std::vector<float>& scratch) const {
    WSI_CHECK(in.rows == out.rows && in.columns == out.columns);
    const int64_t tiles = tiles_of(in.rows) * tiles_of(in.columns);
    const int64_t group = std::min(group_of_tiles(), tiles);
    const int64_t columns = weights_[0].padded_columns();
    const int64_t patch_place = odd_lines(group * in_), product_place = odd_lines(group * columns);
    scratch.resize(static_cast<size_t>(kPlaces * (patch_place + product_place)));
    float* const patches = scratch.data();
    float* const products = patches + kPlaces * patch_place;
    for (int64_t first = 0; first < tiles; first += group) {
        const int64_t count = std::min(group, tiles - first);
        for (int64_t t = 0; t < count; ++t)
            read_patch(in, first + t, patches + t * in_, patch_place);
        for (int64_t p = 0; p < kPlaces; ++p)
            gemm(patches + p * patch_place, in_, count, weights_[static_cast<size_t>(p)],
                 products + p * product_place, columns);
        for (int64_t t = 0; t < count; ++t)
            write_tile(products + t * columns, product_place, first + t, out);
    }
}

}  // namespace wsi::nn
