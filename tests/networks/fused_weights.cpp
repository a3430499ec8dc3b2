#include "tests/networks/fused_weights.h"

#include <filesystem>

#include "model/nn/blocks.h"
#include "model/nn/encoders.h"
#include "model/train/torch_trainer.h"

namespace wsi::test {

Config fused_config(EncoderContext context) {
    Config config;
    config.network.base = 4;
    config.network.fusion = FusionKind::EfbP;
    config.network.encoder = "tiny";
    config.network.encoder_px = 512;
    config.network.context = context;
    config.train.patch_px = 128;
    config.train.precision = Precision::Fp32;
    config.run.threads = 1;
    return config;
}

void write_random_encoder(const std::string& path, const Config& config, uint64_t seed) {
    const auto encoder = nn::bare_encoder(config.network);
    nn::initialise(*encoder, seed);
    nn::StateDict state;
    for (const auto& [name, tensor] : nn::state_of(*encoder))
        state["image_encoder." + name] = tensor;
    state["mask_decoder.ignored"] = at::zeros({1});
    nn::write_state(path, state, {});
}

void write_fused_weights(const std::string& path, Config config) {
    const auto encoder = std::filesystem::path(path).parent_path() / "tiny_sam.safetensors";
    write_random_encoder(encoder.string(), config, 11);
    config.model.encoder_weights = encoder.string();
    train::TorchTrainer(config).save_weights(path, {});
}

}  // namespace wsi::test
