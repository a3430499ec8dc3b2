#pragma once

#include <memory>
#include <string>

#include "model/nn/foreign_network.h"

namespace wsi::nn {

/// A segmenter from any file that is known here, told apart by content: a TorchScript program, a
/// published HoVer-Net or CellViT checkpoint, weights of ours.
std::unique_ptr<Segmenter> open_model(const std::string& weights, const ModelConfig& config = {},
                                      const std::string& device = "cpu");

/// The network of another program that the file holds; null when it holds weights of ours.
std::unique_ptr<ForeignNetwork> open_foreign(const std::string& weights);

}  // namespace wsi::nn
