#pragma once

#include <string>

#include "config/config.h"

namespace wsi::test {

/// A narrow eU-Net3+ with EFB-P on the tiny encoder: 512-px fields, or 128-px tiles upsampled.
Config fused_config(EncoderContext context);

/// The frozen encoder that the settings name, at random, under the names of a SAM checkpoint.
void write_random_encoder(const std::string& path, const Config& config, uint64_t seed);

/// Saves the fused network as a training run does, untrained; its encoder lies beside it.
void write_fused_weights(const std::string& path, Config config);

}  // namespace wsi::test
