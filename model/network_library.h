#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "model/segmenter.h"
#include "model/trainer.h"

namespace wsi {

/// What needs LibTorch, as a table of functions in a shared library of its own: a command that does
/// not need it starts without loading 500 MB.
struct NetworkLibrary {
    std::unique_ptr<Segmenter> (*open_segmenter)(const std::string& weights,
                                                 const ModelConfig& config);
    std::unique_ptr<Trainer> (*make_trainer)(const Config& config);
};

/// Loads libwsi_networks.so from beside the program or ../lib, once. Throws Error{Device} when this
/// build has none.
const NetworkLibrary& network_library();

}  // namespace wsi
