#pragma once

#include <memory>
#include <string>

#include "model/nn/foreign_network.h"

namespace wsi::nn {

/// Is it an archive of torch.jit.save (and not of torch.save)?
bool is_torch_script(const std::string& path);

/// A TorchScript program and the model card beside it (config/model_card.h). It must take
/// [1, 3, S, S] float32 and return one tensor [1, outputs, h, h], which is tried on an empty image.
/// Throws Error{Config} when the card is missing or says what cannot be, Error{Checkpoint} when the
/// program does not answer as the card says.
std::unique_ptr<ForeignNetwork> open_script(const std::string& path);

}  // namespace wsi::nn
