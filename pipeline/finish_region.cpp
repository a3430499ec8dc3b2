#include "pipeline/finish_region.h"

#include <algorithm>

#include "io/region_files.h"
#include "pipeline/window_measure.h"
#include "stages/blend.h"
#include "stages/nucleus_class.h"

namespace wsi {

struct RegionFinisher::Worker {
    Worker(const SlidePlan& plan, const TissueMask& tissue, const SeparateParams& params,
           const StainMatrix& stains, const FeatureConfig& features, const WorkReader* texture,
           RunStatus& status)
        : separate(params),
          measure(plan.frame, tissue, stains, features, texture, status.cpu),
          given(plan.spec.maps()),
          maps(kFirstClass + plan.spec.classes.size()) {}
    void reserve(PixelSize window) {
        separate.reserve(window);
        sums.resize(window.width, window.height);
        for (const size_t map : given) maps[map].resize(window.width, window.height);
        rgb.resize(window.width, window.height);
        labels.resize(window.width, window.height);
    }
    Separator separate;
    WindowMeasurer measure;
    Image<uint16_t> sums;
    const std::vector<size_t> given;  // places of the maps that the segmenter fills
    std::vector<GrayImage> maps;      // by MapIndex
    RgbImage rgb;
    Image<uint32_t> labels;
};

RegionFinisher::RegionFinisher(const SlidePlan& plan, const PartStore& parts,
                               const TissueMask& tissue, const SeparateParams& params,
                               const StainMatrix& stains, const FeatureConfig& features,
                               const WorkReader* texture, KeepMaps keep, RunStatus& status)
    : plan_(plan),
      parts_(parts),
      tissue_(tissue),
      params_(params),
      stains_(stains),
      features_(features),
      texture_(texture),
      keep_(keep),
      status_(status) {}

RegionFinisher::~RegionFinisher() = default;

std::unique_ptr<RegionFinisher::Worker> RegionFinisher::make_worker() {
    auto worker =
        std::make_unique<Worker>(plan_, tissue_, params_, stains_, features_, texture_, status_);
    worker->reserve(plan_.largest([this](RegionIndex r) { return window_of(r); }));
    return worker;
}

// Everything about nuclei whose centroid lies on the region's tissue is exact in this window.
PixelRect RegionFinisher::window_of(RegionIndex region) const {
    const int halo = window_halo_px(params_, features_, plan_.frame);
    return intersection(plan_.data_core(region).grown(halo), plan_.frame.rect());
}

namespace {
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

/// Class id and probability, by the pixels' vote; a segmenter without classes knows nuclei only.
void set_class(const std::vector<NucleusClass>& classes, const std::vector<GrayImage>& maps,
               std::span<const PixelRun> runs, const PixelPoint& origin, NucleusIdentity& who) {
    if (classes.empty()) return;
    const std::vector<ConstGrayView> views(maps.begin() + kFirstClass, maps.end());
    const ClassVote vote = vote_class(runs, views, origin);
    who.class_id = classes[vote.index].id;
    who.class_probability = vote.probability;
}
}  // namespace

void RegionFinisher::load_window(RegionIndex region, const PixelRect& window, Worker& w) const {
    std::vector<RegionMapsReader> readers;
    for (const RegionIndex n : plan_.regions.neighbourhood(region))
        if (!plan_.blank(n)) readers.emplace_back(parts_.maps(plan_, n));
    w.sums.resize(window.width, window.height);
    for (size_t k = 0; k < w.given.size(); ++k) {
        w.sums.fill(0);
        for (const RegionMapsReader& reader : readers) reader.add_sums(k, window, w.sums);
        GrayImage& map = w.maps[w.given[k]];
        map.resize(window.width, window.height);
        finish_blend(w.sums.view(), map);
    }
    clear_what_was_not_run(window, w);
    w.rgb.resize(window.width, window.height);
    w.rgb.fill(255);
    for (const RegionMapsReader& reader : readers) reader.copy_rgb(window, w.rgb);
}

// Cores that were not run hold only what their neighbours' feathers left: not a result. Without it
// the maps that are kept are all that separation saw, so that it can be done again from them.
void RegionFinisher::clear_what_was_not_run(const PixelRect& window, Worker& w) const {
    if (plan_.spec.feather_px == 0) return;
    const int64_t core = plan_.spec.core_px;
    for (int64_t row = window.y / core; row * core < window.bottom(); ++row)
        for (int64_t column = window.x / core; column * core < window.right(); ++column) {
            const TileIndex tile{static_cast<int32_t>(row), static_cast<int32_t>(column)};
            const RegionIndex region = plan_.regions.region_of(tile);
            const auto& active = plan_.active[static_cast<size_t>(plan_.regions.rank(region))];
            if (std::ranges::binary_search(active, tile)) continue;
            const PixelRect part = intersection(plan_.tiles.core(tile), window);
            for (const size_t map : w.given)
                for (int64_t y = 0; y < part.height; ++y)
                    std::fill_n(w.maps[map].view().at(part.x - window.x, part.y - window.y + y),
                                part.width, uint8_t{0});
        }
}

NucleiBatch RegionFinisher::measure(RegionIndex region, const PixelRect& window, Worker& w) const {
    w.labels.resize(window.width, window.height);
    const Separator::Result found = [&] {
        const CpuScope clock(status_.cpu, Stage::Separate);
        return w.separate(w.maps[kProbability].view(), w.maps[kDistance].view(), w.labels.view());
    }();
    const auto describe = [&](uint32_t label, std::span<const PixelRun> runs,
                              NucleusIdentity& who) {
        who.detection_probability =
            mean_probability(runs, w.maps[kProbability].view(), {window.x, window.y});
        set_class(plan_.spec.classes, w.maps, runs, {window.x, window.y}, who);
        if (found.cut[label]) who.flags |= kCutAtReach;
    };
    return w.measure({window, w.labels.view(), found.count, w.rgb.view()},
                     plan_.regions.rect(region), OffTissue::LeftOut, describe);
}

void RegionFinisher::keep_maps(RegionIndex region, const PixelRect& window, Worker& w) const {
    const PixelRect core = plan_.data_core(region);
    BlockFileWriter file(parts_.kept_maps(plan_, region));
    for (const size_t place : w.given) {
        const GrayView part = w.maps[place].view().crop(core.moved(-window.x, -window.y));
        for (int64_t y = 0; y < part.height; ++y)
            file.write({part.row(y), static_cast<size_t>(part.width)});
        file.end_block();
    }
    file.commit("{}", Durability::Sync);
}

void RegionFinisher::operator()(RegionIndex region) {
    const PixelRect window = window_of(region);
    auto worker = workers_.borrow([this] { return make_worker(); });
    {
        const CpuScope clock(status_.cpu, Stage::Load);
        load_window(region, window, *worker);
    }
    const NucleiBatch nuclei = measure(region, window, *worker);
    if (keep_ == KeepMaps::Yes) keep_maps(region, window, *worker);
    std::vector<FailedBlock> failures = worker->measure.take_failures();
    workers_.give_back(std::move(worker));
    const auto earlier = RegionMapsReader(parts_.maps(plan_, region)).header().failures;
    failures.insert(failures.end(), earlier.begin(), earlier.end());
    write_region_nuclei(parts_.nuclei(plan_, region), nuclei, failures);
    status_.nuclei += std::ssize(nuclei.identity);
}

}  // namespace wsi
