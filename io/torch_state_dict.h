#pragma once

#include "io/pickle_value.h"
#include "io/types/plain_value.h"

namespace wsi {

/// The dictionary of tensors in a checkpoint, as read_torch_archive() describes it. Throws
/// Error{Checkpoint} when there is none, or two.
const PickleNode& find_state_dict(const Pickle& pickle);

/// The plain values around the state dict. Throws Error{Checkpoint} on cycles and when a small
/// pickle describes a huge tree by naming the same values again and again.
PlainValue::Dict settings_around(const Pickle& pickle, const PickleNode& state_dict);

}  // namespace wsi
