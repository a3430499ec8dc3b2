// Reads the tiles that a run would read and does nothing with them: what remains of a run's CPU
// time beyond this, and the resampling it names, is the program's own.
// usage: decode_only_bench SLIDE [THREADS]

#include <tbb/parallel_for.h>

#include <cstdio>
#include <cstdlib>

#include "config/config.h"
#include "io/work_reader.h"
#include "pipeline/runtime.h"
#include "pipeline/slide_fit.h"
#include "stages/separate.h"

int main(int argc, char** argv) {
    using namespace wsi;
    if (argc < 2) return 1;
    const Runtime runtime(argc > 2 ? static_cast<int>(std::strtoul(argv[2], nullptr, 10))
                                   : available_cores());
    Config config;
    const auto slide = open_slide(argv[1], config.slide);
    config.model.name = "classical";
    const InputSpec spec = make_segmenter(config.model)->input_spec();
    const WorkFrame frame = make_work_frame(slide->info(), spec.mpp);
    RunStatus status;
    std::vector<FailedBlock> unreadable;
    const TissueMask tissue = find_slide_tissue(*slide, frame, config.tissue, status, unreadable);
    const SlidePlan plan = make_plan(
        frame, spec, config.tiling.region_px, tissue,
        window_halo_px(SeparateParams::from(config.separate, frame), config.features, frame));
    const WorkReader reader(*slide, frame, size_t{64} << 20);
    std::vector<TileIndex> tiles;
    for (const auto& region : plan.active) tiles.insert(tiles.end(), region.begin(), region.end());
    tbb::parallel_for(size_t{0}, tiles.size(), [&](size_t i) {
        thread_local RgbImage image;
        const PixelRect rect = plan.tiles.input(tiles[i]);
        image.resize(rect.width, rect.height);
        reader.read(rect, image);
    });
    std::printf("%zu tiles, %ld work pixels, %.2f s of it resampling\n", tiles.size(),
                std::ssize(tiles) * int64_t{spec.core_px} * spec.core_px,
                static_cast<double>(reader.resample_cpu_ns()) * 1e-9);
}
