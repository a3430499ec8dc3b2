#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/layer_row.h"
#include "model/segmenter.h"
#include "model/trainer.h"

namespace wsi {

/// What needs LibTorch, as a table of functions in a shared library of its own: a command that does
/// not need it starts without loading 500 MB.
struct NetworkLibrary {
    std::unique_ptr<Segmenter> (*open_segmenter)(const std::string& weights,
                                                 const ModelConfig& config,
                                                 const std::string& device);
    std::unique_ptr<Trainer> (*make_trainer)(const Config& config);
    /// Values of network.architecture and of network.encoder.
    std::vector<std::string> (*architectures)();
    std::vector<std::string> (*encoders)();
    /// What `name` does with one image: an architecture or an encoder in the shape that the
    /// settings give, or a weights file. side_px 0: 256, for an encoder its own input.
    std::vector<LayerRow> (*layers)(const std::string& name, const Config& config, int64_t side_px);
    /// Throws Error{Checkpoint} unless the file holds the network that the settings describe.
    void (*check_weights)(const std::string& weights, const Config& config);
    /// LibTorch's version and what was tried with it. Throws Error{Device} when that went wrong.
    std::string (*self_test)();
};

/// Loads libwsi_networks.so from beside the program or ../lib, once. Throws Error{Device} when this
/// build has none, or when the one there was built with other headers than the program.
const NetworkLibrary& network_library();

}  // namespace wsi
