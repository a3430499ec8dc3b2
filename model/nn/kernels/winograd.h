#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/nn/kernels/gemm.h"
#include "model/nn/kernels/map_view.h"

namespace wsi::nn {

/// What follows a convolution; Glu halves its channels.
enum class Pointwise { None, Relu, LeakyRelu, Swish, Glu };

/// conv3x3 (padding 1, stride 1), bias and activation, by the minimal filtering F(4x4, 3x3) of
/// Winograd (Lavin & Gray 2016, section 4): a quarter of the multiplications. Against the direct
/// sum the largest difference is about 1e-5 of the largest value (1.5e-6 for LibTorch's). One
/// thread; const, so that workers share one.
class WinogradConv {
public:
    WinogradConv() = default;
    /// weights [out, in, 3, 3], bias [out]
    WinogradConv(std::span<const float> weights, std::span<const float> bias, int64_t in,
                 Pointwise after);
    /// `out` has the rows and columns of `in` and may not overlap it. scratch: resized as needed.
    void operator()(const MapView& in, const MapView& out, std::vector<float>& scratch) const;
    int64_t bytes() const { return kPlaces * weights_[0].bytes(); }
    int64_t out_channels() const { return after_ == Pointwise::Glu ? made_ / 2 : made_; }

private:
    static constexpr int64_t kTile = 4, kPatch = kTile + 2, kPlaces = kPatch * kPatch;
    int64_t group_of_tiles() const;
    void read_patch(const MapView& in, int64_t tile, float* to, int64_t stride_place) const;
    void write_tile(const float* from, int64_t stride_place, int64_t tile,
                    const MapView& out) const;

    int64_t in_ = 0, made_ = 0;
    Pointwise after_ = Pointwise::None;
    std::array<PackedMatrix, kPlaces> weights_;
    std::vector<float> bias_, zeros_;
};

}  // namespace wsi::nn
