#pragma once

#include <algorithm>
#include <cstdint>

namespace wsi {

/// Whether an RGB colour is one that neither H&E nor DAB can give: green, blue or cyan ink, and
/// black (ink, soot, the border of a scan). Holds for a pixel at any resolution.
inline bool is_ink(const uint8_t* rgb) {
    const int r = rgb[0], g = rgb[1], b = rgb[2];
    if (g > r + 12 && g > b + 4) return true;   // green
    if (g > r + 35 && b > r + 60) return true;  // blue, cyan: red is absorbed most
    const auto [least, most] = std::minmax({r, g, b});
    return most <= 64 && 2 * most <= 3 * least;  // black; dark nuclei keep a hue
}

}  // namespace wsi
