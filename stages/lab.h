#pragma once

#include <array>
#include <cstdint>

namespace wsi {

/// CIELAB (D65) of an sRGB pixel; L 0..100, a and b about -128..127.
std::array<double, 3> rgb_to_lab(const uint8_t* rgb);

/// The nearest 8-bit sRGB pixel.
void lab_to_rgb(const std::array<double, 3>& lab, uint8_t* rgb);

}  // namespace wsi
