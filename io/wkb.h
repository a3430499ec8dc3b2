#pragma once

#include <cstring>
#include <span>
#include <string>

#include "io/types/nucleus.h"

namespace wsi {

/// Appends a polygon of one ring as little-endian well-known binary, in level-0 pixels, closed.
inline void append_wkb(std::string& out, std::span<const ContourPoint> ring) {
    const auto put = [&out](const auto& value) {
        char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        out.append(bytes, sizeof value);
    };
    const auto point = [&put](const ContourPoint& p) {
        // Divided, not multiplied by 0.01: the double nearest to the decimal number.
        put(p.x / 100.0);
        put(p.y / 100.0);
    };
    put(uint8_t{1});   // little-endian
    put(uint32_t{3});  // polygon
    put(uint32_t{1});  // rings
    put(static_cast<uint32_t>(ring.size() + 1));
    for (const ContourPoint& p : ring) point(p);
    point(ring.front());
}

}  // namespace wsi
