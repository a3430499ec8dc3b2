#pragma once

#include <cstddef>
#include <span>

#include "io/weights_file.h"

namespace wsi {

/// Reads what torch.save wrote (PyTorch 1.6 and later): a ZIP archive of stored entries
/// `<root>/data.pkl`, `<root>/data/<key>` and perhaps `<root>/byteorder`. The pickle is read by
/// io/pickle_machine.h, which runs nothing.
///
/// The state dict is the archive's dictionary itself, or what lies in it under `state_dict`,
/// `model_state_dict` or `model`, also one in the other. Wrappers' prefixes are taken off its names
/// (io/weights_names.h). Whatever plain values stand around it are kept as settings; tensors
/// outside of it (an optimiser's) are left out, as are dictionary entries whose key is no text or
/// integer.
///
/// Throws Error{Checkpoint}; messages do not name the file.
WeightsIndex read_torch_archive(std::span<const std::byte> file);

}  // namespace wsi
