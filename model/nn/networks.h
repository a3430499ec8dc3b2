#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/nn/network.h"

namespace wsi::nn {

/// Names for network.architecture.
std::vector<std::string> architectures();

/// The network that the settings describe, parameters drawn from `seed`. Throws Error{Config} that
/// lists the architectures known.
std::shared_ptr<Network> make_network(const NetworkConfig& config, uint64_t seed);

}  // namespace wsi::nn
