#include "pipeline/measure_regions.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "io/region_files.h"
#include "io/types/idle_workers.h"
#include "io/types/pixel_pieces.h"
#include "pipeline/memory_plan.h"
#include "pipeline/texture_pixels.h"

namespace wsi {

namespace {

constexpr int64_t kMib = 1 << 20;
constexpr int64_t kCacheBytes = 96 * kMib;
// Labels 4, colours 3, the nuclei's pixels and rows 9.
constexpr int64_t kBytesPerPx = 16;

/// How far from a nucleus its surroundings decide about it: ring, texture, contour.
int64_t margin_px(const MeasureContext& c) { return surroundings_px(c.features, c.plan.frame) + 1; }

PixelRect largest_window(const MeasureContext& c) {
    const int64_t reach = 2 * c.taken.most_side_px + margin_px(c);
    const PixelSize most = c.plan.largest([&](RegionIndex r) {
        return intersection(c.plan.regions.rect(r).grown(reach), c.plan.frame.rect());
    });
    return {0, 0, most.width, most.height};
}

/// Regions measured at the same time within the bound on memory.
int concurrent_regions(const MeasureContext& c, int threads) {
    const int64_t budget = memory_budget_bytes(c.run);
    const int64_t window = std::max<int64_t>(1, largest_window(c).area() * kBytesPerPx);
    const int64_t fixed =
        kFixedBytes + kCacheBytes + (c.texture != nullptr ? kTextureCacheBytes : 0);
    const int64_t least = fixed + window;
    if (least > budget)
        fail(ErrorKind::Config, "memory = ", budget / kMib,
             " MiB is too small for this slide: at least ", ceil_div(least, kMib),
             " MiB are needed with tiling.region_px; raise --memory or lower tiling.region_px");
    return static_cast<int>(std::min<int64_t>(threads, (budget - fixed) / window));
}

/// Recycled memory of one thread.
struct Worker {
    explicit Worker(const MeasureContext& c)
        : measure(c.plan.frame, c.tissue, c.stains, c.features, c.texture, c.status.cpu) {}
    WindowMeasurer measure;
    Image<uint32_t> labels;
    RgbImage rgb;
    TakenNuclei near;
    std::vector<size_t> order;  // of near: label k is near[order[k - 1]]
    std::vector<uint8_t> damaged;
};

class RegionMeasurer {
public:
    RegionMeasurer(const MeasureContext& c, const WorkReader& reader)
        : c_(c), reader_(reader), store_(taken_prefix(c.parts), c.taken.files) {}

    void operator()(RegionIndex region, Worker& w) const {
        const PixelRect window = gather(region, w);
        NucleiBatch nuclei;
        nuclei.columns = feature_schema(c_.features).size();
        std::vector<FailedBlock> failures;
        if (!window.empty()) {
            paint(window, w);
            w.rgb.resize(window.width, window.height);
            {
                const CpuScope clock(c_.status.cpu, Stage::Read);
                failures = reader_.read(window, w.rgb);
            }
            nuclei = measure(region, window, w);
            for (FailedBlock& block : w.measure.take_failures())
                failures.push_back(std::move(block));
        }
        write_region_nuclei(c_.parts.nuclei(c_.plan, region), nuclei, failures);
        c_.status.nuclei += std::ssize(nuclei.identity);
    }

private:
    /// Nuclei that may be owned by the region, and all that touch what decides about them or about
    /// their neighbours; in the order of the file. Returns what must be painted; empty when the
    /// region has none.
    PixelRect gather(RegionIndex region, Worker& w) const {
        TakenNuclei all;
        for (const RegionIndex n : c_.plan.regions.neighbourhood(region))
            store_.read(c_.plan.regions.rank(n), all);
        // A nucleus lies in its box, and so does its centroid, whatever others take of it.
        PixelRect own;
        for (const TakenNucleus& n : all.nuclei)
            if (!intersection(n.box(), c_.plan.regions.rect(region)).empty())
                own = bounding(own, n.box());
        if (own.empty()) return {};
        // Neighbours' pieces hold when all that overlaps them is painted, too.
        const PixelRect window =
            intersection(own.grown(margin_px(c_) + c_.taken.most_side_px), c_.plan.frame.rect());
        w.near = {};
        for (size_t i = 0; i < all.size(); ++i)
            if (!intersection(all.nuclei[i].box(), window).empty())
                w.near.append(all.nuclei[i], all.pixel_runs(i));
        w.order.resize(w.near.size());
        std::iota(w.order.begin(), w.order.end(), size_t{0});
        std::ranges::sort(w.order, {}, [&](size_t i) { return w.near.nuclei[i].order; });
        return window;
    }

    /// Large nuclei first, so that small ones end on top.
    void paint(const PixelRect& window, Worker& w) const {
        w.labels.resize(window.width, window.height);
        w.labels.fill(0);
        w.damaged.assign(w.near.size() + 1, 0);
        std::vector<uint32_t> by_size(w.near.size());
        std::iota(by_size.begin(), by_size.end(), 1u);
        std::ranges::sort(by_size, [&](uint32_t a, uint32_t b) {
            const int32_t area_a = nucleus(w, a).area_px, area_b = nucleus(w, b).area_px;
            return area_a != area_b ? area_a > area_b : a > b;
        });
        for (const uint32_t label : by_size)
            for_pixels(window, w.near.pixel_runs(w.order[label - 1]), w.labels,
                       [&](uint32_t* pixels, int64_t count) {
                           for (int64_t i = 0; i < count; ++i) w.damaged[pixels[i]] = 1;
                           std::fill_n(pixels, count, label);
                       });
        for (uint32_t label = 1; label < w.damaged.size(); ++label)
            if (w.damaged[label]) keep_largest_piece(window, label, w);
    }

    static const TakenNucleus& nucleus(const Worker& w, uint32_t label) {
        return w.near.nuclei[w.order[label - 1]];
    }

    template <class Use>
    static void for_pixels(const PixelRect& window, std::span<const PixelRun> runs,
                           Image<uint32_t>& labels, Use&& use) {
        for (const PixelRun& run : runs) {
            const int64_t x0 = std::max<int64_t>(run.x0, window.x);
            const int64_t x1 = std::min<int64_t>(run.x1, window.right());
            if (run.y < window.y || run.y >= window.bottom() || x0 >= x1) continue;
            use(&labels(x0 - window.x, run.y - window.y), x1 - x0);
        }
    }

    static void keep_largest_piece(const PixelRect& window, uint32_t label, Worker& w) {
        std::vector<PixelRun> left;
        for_pixels(window, w.near.pixel_runs(w.order[label - 1]), w.labels,
                   [&](const uint32_t* pixels, int64_t count) {
                       const int64_t at = pixels - w.labels.data();
                       const auto y = static_cast<int32_t>(at / window.width);
                       const auto x = static_cast<int32_t>(at % window.width);
                       for (int64_t i = 0; i < count;) {
                           const int64_t begin = i;
                           while (i < count && pixels[i] == label) ++i;
                           if (i > begin)
                               left.push_back({y, static_cast<int32_t>(x + begin),
                                               static_cast<int32_t>(x + i)});
                           else
                               ++i;
                       }
                   });
        const auto pieces = pieces_of(left);
        const auto area = [](const std::vector<PixelRun>& piece) {
            int64_t sum = 0;
            for (const PixelRun& run : piece) sum += run.x1 - run.x0;
            return sum;
        };
        const auto largest = std::ranges::max_element(pieces, {}, area);
        for (auto piece = pieces.begin(); piece != pieces.end(); ++piece)
            for (const PixelRun& run : *piece)
                if (piece != largest) std::fill_n(&w.labels(run.x0, run.y), run.x1 - run.x0, 0u);
    }

    NucleiBatch measure(RegionIndex region, const PixelRect& window, Worker& w) const {
        const auto describe = [&](uint32_t label, std::span<const PixelRun>, NucleusIdentity& who) {
            const TakenNucleus& n = nucleus(w, label);
            who.class_id = static_cast<uint8_t>(n.class_id);
            who.class_probability = n.class_probability;
            who.detection_probability = n.detection_probability;
            who.source = static_cast<uint32_t>(n.source);
        };
        return w.measure(
            {window, w.labels.view(), static_cast<uint32_t>(w.near.size()), w.rgb.view()},
            c_.plan.regions.rect(region), c_.off_tissue, describe);
    }

    const MeasureContext& c_;
    const WorkReader& reader_;
    NucleiStoreReader store_;
};

std::vector<RegionIndex> open_regions(const MeasureContext& c) {
    std::vector<RegionIndex> open;
    for (int64_t rank = 0; rank < c.plan.regions.count(); ++rank) {
        const RegionIndex region = c.plan.regions.at(rank);
        if (c.plan.blank(region)) continue;
        const std::string file = c.parts.nuclei(c.plan, region);
        if (std::filesystem::exists(file) && block_file_is_whole(file)) continue;
        open.push_back(region);
    }
    return open;
}

void check_region_size(const MeasureContext& c) {
    const int64_t reach = 3 * int64_t{c.taken.most_side_px} + margin_px(c);
    if (c.plan.regions.min_side_px() < reach)
        fail(ErrorKind::Config, "tiling.region_px is too small for nuclei of up to ",
             c.taken.most_side_px, " px: raise it to at least ", 2 * (reach + c.plan.spec.core_px));
}

}  // namespace

void activate_regions_with_nuclei(const TakenSummary& taken, const PartStore& parts,
                                  SlidePlan& plan) {
    const NucleiStoreReader store(taken_prefix(parts), taken.files);
    for (int64_t rank = 0; rank < plan.regions.count(); ++rank) {
        const RegionIndex region = plan.regions.at(rank);
        auto& tiles = plan.active[static_cast<size_t>(rank)];
        tiles.clear();
        for (const RegionIndex n : plan.regions.neighbourhood(region))
            if (tiles.empty() && store.any(plan.regions.rank(n)))
                tiles = plan.regions.tiles(region);
    }
}

bool measure_regions(const MeasureContext& c) {
    check_region_size(c);
    c.status.enter("tiles");
    const std::vector<RegionIndex> open = open_regions(c);
    const auto tiles_of = [&](RegionIndex r) {
        return std::ssize(c.plan.active[static_cast<size_t>(c.plan.regions.rank(r))]);
    };
    int64_t to_run = 0;
    for (const RegionIndex region : open) to_run += tiles_of(region);
    const double core_px = c.plan.spec.core_px;
    c.status.mm2_per_tile = core_px * core_px * c.plan.frame.px_area_um2() * 1e-6;
    c.status.tiles_total = c.plan.tile_count();
    c.status.tiles_restored = c.plan.tile_count() - to_run;
    c.status.tiles_done = c.status.tiles_restored.load();
    const WorkReader reader(c.slide, c.plan.frame, kCacheBytes);
    const RegionMeasurer measure(c, reader);
    IdleWorkers<Worker> workers;
    tbb::task_arena arena(concurrent_regions(c, c.run.threads));
    arena.execute([&] {
        tbb::parallel_for(size_t{0}, open.size(), [&](size_t i) {
            if (c.status.stopping()) return;
            std::unique_ptr<Worker> worker =
                workers.borrow([&] { return std::make_unique<Worker>(c); });
            c.status.at("commit");
            measure(open[i], *worker);
            c.status.at("commit");
            c.status.tiles_done += tiles_of(open[i]);
            ++c.status.regions_done;
            workers.give_back(std::move(worker));
        });
    });
    move_cpu(c.status.cpu, Stage::Read, Stage::Resample, reader.resample_cpu_ns());
    return !c.status.stopping();
}

}  // namespace wsi
