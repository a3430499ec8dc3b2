#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/nn/execution.h"
#include "model/nn/image_encoder.h"
#include "model/nn/state.h"

namespace wsi::nn {

/// E of the encoder that the settings name. Throws Error{Config} that lists the encoders known.
int64_t embedding_channels(const NetworkConfig& config);

/// Names of the encoders known.
std::vector<std::string> encoder_names();

/// The encoder that the settings name, its weights undefined.
std::shared_ptr<ImageEncoder> bare_encoder(const NetworkConfig& config);

/// The encoder with the tensors of a checkpoint (a whole SAM checkpoint of either naming, or the
/// encoder alone), which it shares without a copy where it can, where and as it will run. Batch
/// norm is folded in float32 on the CPU alone. `path` is for messages.
std::shared_ptr<ImageEncoder> make_encoder(const NetworkConfig& config, const StateDict& checkpoint,
                                           const std::string& path,
                                           const Execution& execution = {});

}  // namespace wsi::nn
