#pragma once

#include <array>
#include <cstdint>

#include "io/types/image.h"

namespace wsi::kernels {

/// A linear map in optical density: OD' = matrix * OD, pixel' = white * exp(-OD'), truncated to 8
/// bit.
struct OdTransfer {
    std::array<std::array<float, 3>, 3> matrix;
    std::array<float, 256> od;  ///< optical density of each 8-bit value
    float white = 240;
};

/// in, out: [H, W, 3] uint8, equal size, may be the same memory. Pointwise. Within one grey level
/// of the double-precision definition (the exponential is a polynomial of relative error < 3e-6).
void transfer_od(const OdTransfer& transfer, ConstRgbView in, RgbView out);

}  // namespace wsi::kernels
