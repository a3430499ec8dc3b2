#pragma once

#include <functional>
#include <vector>

#include "io/types/image.h"

namespace wsi::kernels {

/// Any colour map, sampled on a 33^3 lattice and interpolated trilinearly in integers: for maps too
/// expensive to compute per pixel. Exact on lattice colours (multiples of 8, and 255).
class ColourCube {
public:
    explicit ColourCube(const std::function<void(const uint8_t* rgb, uint8_t* out)>& map);
    /// in, out: [H, W, 3] uint8, equal size, may be the same memory. Pointwise.
    void operator()(ConstRgbView in, RgbView out) const;

private:
    std::vector<uint8_t> lattice_;  // [33][33][33][3]
};

}  // namespace wsi::kernels
