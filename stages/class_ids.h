#pragma once

#include <cstdint>

namespace wsi {

/// While a network is trained a nucleus' class travels in its id, so that whatever moves, turns or
/// copies nuclei takes it along: class · 2^24 + the nucleus' own number. Class 0: not given.
inline constexpr uint32_t kOwnIds = uint32_t{1} << 24;

inline uint32_t id_with_class(uint32_t id, uint32_t class_id) {
    return class_id * kOwnIds + id % kOwnIds;
}
inline uint32_t class_of_id(uint32_t id) { return id / kOwnIds; }
inline uint32_t own_id(uint32_t id) { return id % kOwnIds; }

}  // namespace wsi
