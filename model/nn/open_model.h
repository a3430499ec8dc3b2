#pragma once

#include <memory>
#include <string>

#include "model/segmenter.h"

namespace wsi::nn {

/// A segmenter from any file that is known here, told apart by content: a TorchScript program, a
/// published HoVer-Net or CellViT checkpoint, weights of ours.
std::unique_ptr<Segmenter> open_model(const std::string& weights, const ModelConfig& config = {});

}  // namespace wsi::nn
