// A model on tiles of noise through passes of many tiles, as the pipeline runs it on a device:
// 8-bit pixels in, 8-bit maps out.
//   device_bench WEIGHTS SIDE TILES DEVICE PRECISION BATCH REPEATS
// SIDE: of a tile without its halo. Prints the least wall time of all tiles.
#include <cstdio>

#include "config/config_io.h"
#include "model/network_library.h"
#include "tests/bench/bench_clock.h"
#include "tests/support/noise_image.h"

namespace wsi {
extern "C" const NetworkLibrary* wsi_network_library();  // linked, not loaded
}

namespace {

using namespace wsi;

using test::wall_s, test::whole_number;

std::vector<TileSlot> noise(int tiles, const InputSpec& spec) {
    const int side = spec.input_px();
    std::vector<TileSlot> slots(static_cast<size_t>(tiles));
    for (size_t i = 0; i < slots.size(); ++i) {
        slots[i].rgb = test::noise_image(side, i + 1);
        slots[i].normalised = slots[i].rgb;
        slots[i].inside = {0, 0, side, side};
        for (const size_t map : spec.maps()) slots[i].maps[map] = GrayImage(side, side);
    }
    return slots;
}

void segment_all(Segmenter& segmenter, std::vector<TileSlot>& slots, size_t batch) {
    std::vector<TileSlot*> all;
    for (TileSlot& slot : slots) all.push_back(&slot);
    for (size_t i = 0; i < all.size(); i += batch)
        segmenter.segment(std::span(all).subspan(i, std::min(batch, all.size() - i)), {});
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) return 1;
    Config config;
    apply_set(config, "model.precision=" + std::string(argv[5]));
    apply_set(config, "model.batch=" + std::string(argv[6]));
    apply_set(config, "model.tile_px=" + std::string(argv[2]));
    const auto segmenter = wsi_network_library()->open_segmenter(argv[1], config.model, argv[4]);
    std::vector<TileSlot> slots = noise(whole_number(argv[3]), segmenter->input_spec());
    double least = 1e9;
    for (int r = 0; r < whole_number(argv[7]) + 1; ++r) {  // the first only warms up
        const double start = wall_s();
        segment_all(*segmenter, slots, static_cast<size_t>(config.model.batch));
        if (r > 0) least = std::min(least, wall_s() - start);
    }
    const double core = whole_number(argv[2]);
    std::printf("%s %s batch %d: %.4f s, %.1f tiles/s, %.1f Mpx/s\n", argv[4], argv[5],
                config.model.batch, least, static_cast<double>(slots.size()) / least,
                static_cast<double>(slots.size()) * core * core / least / 1e6);
}
