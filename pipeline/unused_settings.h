#pragma once

#include <memory>

#include "pipeline/commands.h"

namespace wsi {

// A setting on the command line that cannot have an effect is not ignored in silence. Settings in
// files and presets are: one file may serve several models, and training as well.

/// Throws Error{Config} when --set names what only training looks at.
void refuse_training_settings(const CommonOptions& options);

/// The segmenter that `model` names; warns once when the command line asks for stain normalisation
/// and this model sees the slide's own colours.
std::unique_ptr<Segmenter> segmenter_for(const Config& config, const CommonOptions& options);

}  // namespace wsi
