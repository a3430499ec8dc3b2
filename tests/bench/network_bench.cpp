// A network on tiles of noise, as the pipeline runs it: 8-bit pixels in, 8-bit maps out.
//   network_bench WEIGHTS SIDE TILES THREADS REPEATS [MAPS]
// Each thread takes an equal share of the tiles. Prints the least wall time and the least CPU time
// of all threads together; MAPS gets the first tile, RGB,
// and its maps, SIDE x SIDE bytes each.
#include <cstdio>
#include <fstream>
#include <thread>

#include "model/network_library.h"
#include "tests/bench/bench_clock.h"
#include "tests/support/noise_image.h"

namespace wsi {
extern "C" const NetworkLibrary* wsi_network_library();  // linked, not loaded
}

namespace {

using namespace wsi;

using test::cpu_s, test::wall_s, test::whole_number;

std::vector<TileSlot> noise(int tiles, int side) {
    std::vector<TileSlot> slots(static_cast<size_t>(tiles));
    for (size_t i = 0; i < slots.size(); ++i) {
        slots[i].rgb = test::noise_image(side, i + 1);
        slots[i].normalised = slots[i].rgb;
        for (GrayImage& map : slots[i].maps) map = GrayImage(side, side);
    }
    return slots;
}

void segment_all(Segmenter& segmenter, std::vector<TileSlot>& slots, size_t threads) {
    std::vector<std::jthread> workers;
    for (size_t t = 0; t < threads; ++t)
        workers.emplace_back([&, t] {
            for (size_t i = t; i < slots.size(); i += threads) {
                TileSlot* slot = &slots[i];
                segmenter.segment({&slot, 1}, {});
            }
        });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) return 1;
    const int side = whole_number(argv[2]);
    const auto segmenter = wsi_network_library()->open_segmenter(argv[1], ModelConfig{}, "cpu");
    std::vector<TileSlot> slots = noise(whole_number(argv[3]), side);
    double wall = 1e9, cpu = 1e9;
    for (int r = 0; r < whole_number(argv[5]) + 1; ++r) {  // the first only warms up
        const double wall0 = wall_s(), cpu0 = cpu_s();
        segment_all(*segmenter, slots, static_cast<size_t>(whole_number(argv[4])));
        if (r == 0) continue;
        wall = std::min(wall, wall_s() - wall0);
        cpu = std::min(cpu, cpu_s() - cpu0);
    }
    std::printf("%.4f s wall, %.4f s CPU\n", wall, cpu);
    if (argc > 6) {
        std::ofstream out(argv[6], std::ios::binary);
        const auto write = [&](const uint8_t* bytes, int64_t count) {
            out.write(static_cast<const char*>(static_cast<const void*>(bytes)), count);
        };
        write(slots[0].rgb.data(), 3 * slots[0].rgb.size().area());
        for (const GrayImage& map : slots[0].maps) write(map.data(), map.size().area());
    }
}
