#pragma once

#include "config/config.h"
#include "model/nn/unet3plus.h"

namespace wsi::nn {

/// The network that the settings describe, parameters drawn from `seed`. Throws Error{Config} that
/// lists the architectures known.
UNet3Plus make_network(const NetworkConfig& config, uint64_t seed);

}  // namespace wsi::nn
