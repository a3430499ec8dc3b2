#pragma once

#include <string>

#include "config/config.h"
#include "model/nn/state.h"

namespace wsi::nn {

/// The settings a weights file of ours was trained with, out of its metadata. Throws
/// Error{Checkpoint} when it does not say what network it is for.
Config settings_of(const Notes& notes, const std::string& path);

}  // namespace wsi::nn
