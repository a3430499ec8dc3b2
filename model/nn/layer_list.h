#pragma once

#include <functional>
#include <vector>

#include "model/layer_row.h"
#include "model/nn/torch.h"

namespace wsi::nn {

/// Runs `forward` on shapes alone and lists what it does with the module's parameters. Nothing is
/// computed: every operation is sent to LibTorch's meta device, whatever its tensors hold. Matrix
/// products without parameters (attention) are summed up in one row. Parameters that no listed
/// operation takes directly come last, as `others`.
std::vector<LayerRow> list_layers(const torch::nn::Module& module,
                                  const std::function<void()>& forward);

}  // namespace wsi::nn
