#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "model/layer_row.h"

namespace wsi::nn {

/// NetworkLibrary::layers and NetworkLibrary::check_weights (model/network_library.h).
std::vector<LayerRow> layers_of(const std::string& name, const Config& config, int64_t side_px);
void check_weights(const std::string& weights, const Config& config);

}  // namespace wsi::nn
