#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/nn/network.h"

namespace wsi::nn {

/// Names for network.architecture.
std::vector<std::string> architectures();

/// Names in network.classes; none when it says "none". Throws Error{Config} for an empty name.
std::vector<std::string> class_names(const NetworkConfig& config);

/// The network that the settings describe, parameters drawn from `seed`. Throws Error{Config} that
/// lists the architectures known.
std::shared_ptr<Network> make_network(const NetworkConfig& config, uint64_t seed);

}  // namespace wsi::nn
