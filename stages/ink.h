#pragma once

#include <algorithm>
#include <cstdint>

namespace wsi {

/// Whether an RGB colour is one that neither H&E nor DAB can give: green, blue or cyan ink, and
/// black (ink, soot, the border of a scan). Holds for a pixel at any resolution.
inline bool is_ink(const uint8_t* rgb) {
    const int r = rgb[0], g = rgb[1], b = rgb[2];
    // Stained pixels and glass leave after two comparisons.
    if (g > r + 12) return g > b + 4 || (g > r + 35 && b > r + 60);  // green; blue and cyan
    if (r > 64 || b > 64) return false;
    const auto [least, most] = std::minmax({r, g, b});
    return most <= 64 && 2 * most <= 3 * least;  // black; dark nuclei keep a hue
}

}  // namespace wsi
