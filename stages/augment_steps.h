#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace wsi {

/// Rounds and clamps a colour to 0..255.
inline uint8_t to_byte(double value) {
    return static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

}  // namespace wsi
