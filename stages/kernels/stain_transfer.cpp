#include "stages/kernels/stain_transfer.h"

#include <algorithm>
#include <bit>

namespace wsi::kernels {

namespace {
constexpr int64_t kChunk = 256;

/// 2^x for x in [-126, 126]: exponent by bit shift, mantissa by a polynomial (minimax on [0, 1)).
/// Plain arithmetic only, so that the loop around it becomes vector code.
inline float exp2_fast(float x) {
    const float clamped = std::min(std::max(x, -126.0f), 126.0f);
    const auto whole = static_cast<int32_t>(clamped + 127.0f) - 127;  // floor: the sum is positive
    const float f = clamped - static_cast<float>(whole);
    const float p =
        0.99999999f +
        f * (0.69314743f +
             f * (0.24022085f +
                  f * (0.05550327f + f * (0.00967858f + f * 0.00124396f + f * f * 0.00021702f))));
    return p * std::bit_cast<float>((whole + 127) << 23);
}

struct Planes {
    alignas(64) float r[kChunk], g[kChunk], b[kChunk];
};

void load(const OdTransfer& t, const uint8_t* rgb, int64_t n, Planes& od) {
    for (int64_t i = 0; i < n; ++i) {
        od.r[i] = t.od[rgb[3 * i]];
        od.g[i] = t.od[rgb[3 * i + 1]];
        od.b[i] = t.od[rgb[3 * i + 2]];
    }
}

/// One output channel; scale = -log2(e) is folded into the row.
void channel(const float* __restrict r, const float* __restrict g, const float* __restrict b,
             const std::array<float, 3>& row, float white, int32_t* __restrict out) {
    for (int64_t i = 0; i < kChunk; ++i) {
        const float value = white * exp2_fast(row[0] * r[i] + row[1] * g[i] + row[2] * b[i]);
        out[i] = static_cast<int32_t>(std::min(value, 255.0f));
    }
}
}  // namespace

void transfer_od(const OdTransfer& t, ConstRgbView in, RgbView out) {
    WSI_CHECK(in.size() == out.size());
    constexpr float kMinusLog2E = -1.44269504f;
    std::array<std::array<float, 3>, 3> rows = t.matrix;
    for (auto& row : rows)
        for (float& c : row) c *= kMinusLog2E;
    Planes od{};
    alignas(64) int32_t result[3][kChunk];
    for (int64_t y = 0; y < in.height; ++y)
        for (int64_t x = 0; x < in.width; x += kChunk) {
            const int64_t n = std::min(kChunk, in.width - x);
            load(t, in.at(x, y), n, od);
            for (size_t c = 0; c < 3; ++c) channel(od.r, od.g, od.b, rows[c], t.white, result[c]);
            uint8_t* to = out.at(x, y);
            for (int64_t i = 0; i < n; ++i)
                for (int64_t c = 0; c < 3; ++c) to[3 * i + c] = static_cast<uint8_t>(result[c][i]);
        }
}

}  // namespace wsi::kernels
