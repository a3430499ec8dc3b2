// Reads the tiles that a run would read and does nothing with them: what remains of a run's CPU
// time beyond this, and the resampling it names, is the program's own. Says how many blocks were
// decoded, and how many of these decodings were of a block that had been decoded before.
// usage: decode_only_bench SLIDE [THREADS [MPP]]

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>

#include "config/config.h"
#include "io/work_reader.h"
#include "pipeline/runtime.h"
#include "pipeline/slide_fit.h"
#include "stages/separate.h"

namespace {

using namespace wsi;

/// Counts what is read of a slide.
class CountingSlide final : public Slide {
public:
    explicit CountingSlide(const Slide& slide) : slide_(slide) {}
    const SlideInfo& info() const override { return slide_.info(); }
    std::optional<std::string> read(int level, const PixelRect& rect, RgbView out) const override {
        {
            const std::lock_guard lock(mutex_);
            ++reads_;
            blocks_.emplace(level, rect.x, rect.y);
        }
        return slide_.read(level, rect, out);
    }
    size_t reads() const { return reads_; }
    size_t blocks() const { return blocks_.size(); }

private:
    const Slide& slide_;
    mutable std::mutex mutex_;
    mutable size_t reads_ = 0;
    mutable std::set<std::tuple<int, int64_t, int64_t>> blocks_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 1;
    const int threads =
        argc > 2 ? static_cast<int>(std::strtoul(argv[2], nullptr, 10)) : available_cores();
    const Runtime runtime(threads);
    Config config;
    const auto slide = open_slide(argv[1], config.slide);
    config.model.name = "classical";
    const InputSpec spec = make_segmenter(config.model)->input_spec();
    const Mpp mpp = argc > 3 ? Mpp{std::strtod(argv[3], nullptr)} : spec.mpp;
    const WorkFrame frame = make_work_frame(slide->info(), mpp);
    RunStatus status;
    std::vector<FailedBlock> unreadable;
    const TissueMask tissue = find_slide_tissue(*slide, frame, config.tissue, status, unreadable);
    const SlidePlan plan = make_plan(
        frame, spec, config.tiling.region_px, tissue,
        window_halo_px(SeparateParams::from(config.separate, frame), config.features, frame));
    const CountingSlide counted(*slide);
    const WorkReader reader(counted, frame, size_t{64} << 20);
    std::vector<TileIndex> tiles;
    for (const auto& region : plan.active) tiles.insert(tiles.end(), region.begin(), region.end());
    const auto read_tile = [&](size_t i) {
        thread_local RgbImage image;
        const PixelRect rect = plan.tiles.input(tiles[i]);
        image.resize(rect.width, rect.height);
        reader.read(rect, image);
    };
    tbb::task_arena arena(threads);  // also more of them than there are cores
    arena.execute([&] { tbb::parallel_for(size_t{0}, tiles.size(), read_tile); });
    std::printf("%zu tiles, %ld work pixels, %.2f s of it resampling; %zu blocks, %zu again\n",
                tiles.size(), std::ssize(tiles) * int64_t{spec.core_px} * spec.core_px,
                static_cast<double>(reader.resample_cpu_ns()) * 1e-9, counted.blocks(),
                counted.reads() - counted.blocks());
}
