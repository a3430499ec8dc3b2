#include "pipeline/finish_region.h"

#include <algorithm>
#include <numeric>

#include "io/region_files.h"
#include "stages/blend.h"
#include "stages/contour.h"
#include "stages/features.h"
#include "stages/nucleus_identity.h"

namespace wsi {

struct RegionFinisher::Worker {
    Worker(const SlidePlan& plan, const SeparateParams& params, const StainMatrix& stains,
           const FeatureConfig& features)
        : separate(params), extract(plan.frame, stains, features) {}
    void reserve(PixelSize window) {
        separate.reserve(window);
        sums.resize(window.width, window.height);
        for (GrayImage& map : maps) map.resize(window.width, window.height);
        rgb.resize(window.width, window.height);
        labels.resize(window.width, window.height);
    }
    Separator separate;
    FeatureExtractor extract;
    ContourTracer trace;
    Image<uint16_t> sums;
    GrayImage maps[kMapCount];
    RgbImage rgb;
    Image<uint32_t> labels;
    std::vector<PixelRun> runs;         // of all labels of the window, grouped by label
    std::vector<uint64_t> run_offsets;  // [labels + 2]
    std::vector<ContourPoint> ring;
    std::vector<float> row;
};

RegionFinisher::RegionFinisher(const SlidePlan& plan, const PartStore& parts,
                               const TissueMask& tissue, const SeparateParams& params,
                               const StainMatrix& stains, const FeatureConfig& features,
                               KeepMaps keep, RunStatus& status)
    : plan_(plan),
      parts_(parts),
      tissue_(tissue),
      params_(params),
      stains_(stains),
      features_(features),
      columns_(feature_schema(features).size()),
      keep_(keep),
      status_(status) {}

RegionFinisher::~RegionFinisher() = default;

std::unique_ptr<RegionFinisher::Worker> RegionFinisher::borrow() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto worker = std::move(idle_.back());
            idle_.pop_back();
            return worker;
        }
    }
    auto worker = std::make_unique<Worker>(plan_, params_, stains_, features_);
    worker->reserve(plan_.largest([this](RegionIndex r) { return window_of(r); }));
    return worker;
}

// Everything about nuclei whose centroid lies on the region's tissue is exact in this window.
PixelRect RegionFinisher::window_of(RegionIndex region) const {
    const int halo = window_halo_px(params_, features_, plan_.frame);
    return intersection(plan_.data_core(region).grown(halo), plan_.frame.rect());
}

void RegionFinisher::give_back(std::unique_ptr<Worker> worker) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
}

namespace {
// Runs of every label, grouped by label and in raster order inside each: two passes, counting
// first.
template <class Visit>
void for_each_run(ImageView<const uint32_t> labels, Visit&& visit) {
    for (int64_t y = 0; y < labels.height; ++y) {
        const uint32_t* row = labels.row(y);
        for (int64_t x = 0; x < labels.width;) {
            const uint32_t label = row[x];
            const int64_t begin = x;
            while (x < labels.width && row[x] == label) ++x;
            if (label != 0) visit(label, y, begin, x);
        }
    }
}

void collect_runs(ImageView<const uint32_t> labels, uint32_t count, PixelPoint origin,
                  std::vector<PixelRun>& runs, std::vector<uint64_t>& offsets) {
    offsets.assign(count + 2, 0);
    for_each_run(labels, [&](uint32_t label, int64_t, int64_t, int64_t) { ++offsets[label + 1]; });
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    runs.resize(offsets.back());
    std::vector<uint64_t> next(offsets.begin(), offsets.end() - 1);
    for_each_run(labels, [&](uint32_t label, int64_t y, int64_t begin, int64_t end) {
        runs[next[label]++] = {static_cast<int32_t>(y + origin.y),
                               static_cast<int32_t>(begin + origin.x),
                               static_cast<int32_t>(end + origin.x)};
    });
}

bool inside(const PixelRect& rect, double x, double y) {
    return x >= static_cast<double>(rect.x) && x < static_cast<double>(rect.right()) &&
           y >= static_cast<double>(rect.y) && y < static_cast<double>(rect.bottom());
}

NucleiBatch sorted_by_id(const NucleiBatch& nuclei) {
    std::vector<size_t> order(nuclei.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return id_order(nuclei.identity[a], nuclei.identity[b]); });
    NucleiBatch out;
    out.columns = nuclei.columns;
    for (const size_t i : order) out.append(nuclei, i);
    return out;
}

float mean_probability(std::span<const PixelRun> runs, ConstGrayView probability,
                       const PixelPoint& origin) {
    int64_t n = 0, sum = 0;
    for (const PixelRun& run : runs) {
        const uint8_t* row = probability.row(run.y - origin.y) - origin.x;
        for (int64_t x = run.x0; x < run.x1; ++x) sum += row[x];
        n += run.x1 - run.x0;
    }
    return static_cast<float>(static_cast<double>(sum) / (255.0 * static_cast<double>(n)));
}

uint8_t edge_flags(std::span<const PixelRun> runs, const WorkFrame& frame,
                   const TissueMask& tissue) {
    uint8_t flags = 0;
    for (const PixelRun& run : runs) {
        if (run.y == 0 || run.y + 1 == frame.size.height || run.x0 == 0 ||
            run.x1 == frame.size.width)
            flags |= kAtSlideEdge;
        const double y = run.y + 0.5;
        if (!tissue.contains(run.x0 + 0.5, y) || !tissue.contains(run.x1 - 0.5, y))
            flags |= kAtRoiEdge;
    }
    return flags;
}
}  // namespace

void RegionFinisher::load_window(RegionIndex region, const PixelRect& window, Worker& w) const {
    std::vector<RegionMapsReader> readers;
    for (const RegionIndex n : plan_.regions.neighbourhood(region))
        if (!plan_.blank(n)) readers.emplace_back(parts_.maps(plan_, n));
    w.sums.resize(window.width, window.height);
    for (size_t map = 0; map < kMapCount; ++map) {
        w.sums.fill(0);
        for (const RegionMapsReader& reader : readers) reader.add_sums(map, window, w.sums);
        w.maps[map].resize(window.width, window.height);
        finish_blend(w.sums.view(), w.maps[map]);
    }
    w.rgb.resize(window.width, window.height);
    w.rgb.fill(255);
    for (const RegionMapsReader& reader : readers) reader.copy_rgb(window, w.rgb);
}

NucleiBatch RegionFinisher::measure(RegionIndex region, const PixelRect& window, Worker& w) const {
    w.labels.resize(window.width, window.height);
    const Separator::Result found = [&] {
        const CpuScope clock(status_.cpu, Stage::Separate);
        return w.separate(w.maps[kProbability].view(), w.maps[kDistance].view(), w.labels.view());
    }();
    const PixelPoint origin{window.x, window.y};
    collect_runs(w.labels.view(), found.count, origin, w.runs, w.run_offsets);
    const PixelRect owned = plan_.regions.rect(region);
    NucleiBatch out;
    out.columns = columns_;
    w.row.resize(out.columns);
    for (uint32_t label = 1; label <= found.count; ++label) {
        const std::span runs(w.runs.data() + w.run_offsets[label],
                             w.run_offsets[label + 1] - w.run_offsets[label]);
        if (runs.empty()) continue;
        double x = 0, y = 0;
        work_centroid(runs, x, y);
        if (!inside(owned, x, y) || !tissue_.contains(x, y)) continue;
        {
            const CpuScope clock(status_.cpu, Stage::Contour);
            w.trace(w.labels.view(), label, {runs[0].x0 - origin.x, runs[0].y - origin.y}, origin,
                    plan_.frame.downsample, w.ring);
        }
        NucleusIdentity who = nucleus_identity(runs, w.ring, plan_.frame);
        who.detection_probability = mean_probability(runs, w.maps[kProbability].view(), origin);
        who.flags = static_cast<uint8_t>(edge_flags(runs, plan_.frame, tissue_) |
                                         (found.cut[label] ? kCutAtReach : 0));
        const CpuScope clock(status_.cpu, Stage::Features);
        w.extract({runs, w.ring, w.rgb.view(), w.labels.view(), origin}, w.row);
        out.append(who, w.row, w.ring, runs);
    }
    return sorted_by_id(out);
}

void RegionFinisher::keep_maps(RegionIndex region, const PixelRect& window, Worker& w) const {
    const PixelRect core = plan_.data_core(region);
    const auto& active = plan_.active[static_cast<size_t>(plan_.regions.rank(region))];
    BlockFileWriter file(parts_.kept_maps(plan_, region));
    for (GrayImage& map : w.maps) {
        const GrayView part = map.view().crop(core.moved(-window.x, -window.y));
        // Cores that were not run hold only what their neighbours' feathers left: not a result.
        for (const TileIndex tile : plan_.regions.tiles(region)) {
            const PixelRect inside = intersection(plan_.tiles.core(tile), core);
            if (inside.empty() || std::ranges::binary_search(active, tile)) continue;
            for (int64_t y = 0; y < inside.height; ++y)
                std::fill_n(part.at(inside.x - core.x, inside.y - core.y + y), inside.width,
                            uint8_t{0});
        }
        for (int64_t y = 0; y < part.height; ++y)
            file.write({part.row(y), static_cast<size_t>(part.width)});
        file.end_block();
    }
    file.commit("{}", Durability::Sync);
}

void RegionFinisher::operator()(RegionIndex region) {
    const PixelRect window = window_of(region);
    auto worker = borrow();
    {
        const CpuScope clock(status_.cpu, Stage::Load);
        load_window(region, window, *worker);
    }
    const NucleiBatch nuclei = measure(region, window, *worker);
    if (keep_ == KeepMaps::Yes) keep_maps(region, window, *worker);
    give_back(std::move(worker));
    const auto failures = RegionMapsReader(parts_.maps(plan_, region)).header().failures;
    write_region_nuclei(parts_.nuclei(plan_, region), nuclei, failures);
    status_.nuclei += std::ssize(nuclei.identity);
}

}  // namespace wsi
