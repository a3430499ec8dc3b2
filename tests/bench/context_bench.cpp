// What SAM costs a slide in both contexts: each tile upsampled, or fields at native scale.
//   context_bench FOLDER ENCODER THREADS REPEATS
// Random weights of the encoder are written to FOLDER. Prints, for network.context = tile and field
// at train.patch_px = 256 and network.encoder_px = 1024: the least time to embed one picture,
// preparation included, the side of the part of the slide it serves (without its halo), and the
// share of that in a tile of 256 px.
#include <cstdio>

#include "config/config_io.h"
#include "model/nn/blocks.h"
#include "model/nn/context_encoder.h"
#include "model/nn/encoders.h"
#include "model/nn/network_runner.h"
#include "tests/bench/bench_clock.h"
#include "tests/support/noise_image.h"

namespace {

using namespace wsi;
using test::wall_s, test::whole_number;

void write_weights(const std::string& path, const Config& config) {
    const auto encoder = nn::bare_encoder(config.network);
    nn::initialise(*encoder, 3);
    nn::StateDict state;
    for (const auto& [name, tensor] : nn::state_of(*encoder))
        state["image_encoder." + name] = tensor;
    nn::write_state(path, state, {});
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) return 1;
    const std::string weights = std::string(argv[1]) + "/encoder.safetensors";
    Config config;
    config.network.encoder = argv[2];
    write_weights(weights, config);
    const c10::InferenceMode inference;
    at::set_num_threads(whole_number(argv[3]));
    for (const EncoderContext context : {EncoderContext::Tile, EncoderContext::Field}) {
        config.network.context = context;
        const nn::ContextEncoder encoder(config, weights, "");
        const RgbImage picture = test::noise_image(encoder.view_px(), 1);
        double least = 1e9;
        for (int r = 0; r < whole_number(argv[4]); ++r) {
            const double start = wall_s();
            encoder.embed(picture.view());
            least = std::min(least, wall_s() - start);
        }
        const auto core =
            static_cast<double>(encoder.view_px() - 2 * nn::NetworkRunner::kPartHaloPx);
        std::printf("%s: %.3f s for %.0f px, %.4f s per tile\n",
                    context == EncoderContext::Tile ? "tile" : "field", least, core,
                    least * 256 * 256 / (core * core));
    }
}
