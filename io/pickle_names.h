#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "io/pickle_value.h"

namespace wsi {

/// The name of a pickle opcode as Python's pickletools gives it; "unknown" for bytes that are none.
std::string_view opcode_name(uint8_t code);

struct KnownGlobal {
    PickleGlobal global;
    DType dtype = DType::F32;  ///< of a Storage
};
/// Nothing when the object is not accepted.
std::optional<KnownGlobal> known_global(std::string_view module, std::string_view name);

}  // namespace wsi
