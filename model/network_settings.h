#pragma once

#include <string>

#include "config/config.h"
#include "config/error.h"

namespace wsi {

/// For models that run in float32 on the CPU alone, on tiles of their own size: throws
/// Error{Config} when the settings ask for something else. `why`: what follows the setting's name
/// in the message.
inline void refuse_network_settings(const ModelConfig& config, const std::string& device,
                                    const std::string& why) {
    if (device == "cuda") fail(ErrorKind::Config, "run.device = 'cuda'", why);
    if (config.precision != Precision::Fp32) fail(ErrorKind::Config, "model.precision", why);
    if (config.tile_px != 0) fail(ErrorKind::Config, "model.tile_px", why);
}

}  // namespace wsi
