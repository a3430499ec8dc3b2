#include "pipeline/window_measure.h"

#include <algorithm>
#include <numeric>

#include "stages/ink.h"
#include "stages/nucleus_identity.h"
#include "stages/run_components.h"

namespace wsi {

namespace {
template <class Visit>
void for_each_run(ImageView<const uint32_t> labels, Visit&& visit) {
    for (int64_t y = 0; y < labels.height; ++y) {
        const uint32_t* row = labels.row(y);
        for (int64_t x = 0; x < labels.width;) {
            const int64_t begin = x;
            x = run_end(row, x, labels.width);
            if (row[begin] != 0) visit(row[begin], y, begin, x);
        }
    }
}

bool inside(const PixelRect& rect, double x, double y) {
    return x >= static_cast<double>(rect.x) && x < static_cast<double>(rect.right()) &&
           y >= static_cast<double>(rect.y) && y < static_cast<double>(rect.bottom());
}

bool at_slide_edge(std::span<const PixelRun> runs, const PixelSize& slide) {
    return std::ranges::any_of(runs, [&](const PixelRun& run) {
        return run.y == 0 || run.y + 1 == slide.height || run.x0 == 0 || run.x1 == slide.width;
    });
}

/// Share of the pixels whose centre is on tissue.
float tissue_fraction(std::span<const PixelRun> runs, const TissueMask& tissue) {
    int64_t pixels = 0, on_tissue = 0;
    for (const PixelRun& run : runs) {
        pixels += run.x1 - run.x0;
        for (int32_t x = run.x0; x < run.x1; ++x)
            on_tissue += tissue.contains(x + 0.5, run.y + 0.5);
    }
    return static_cast<float>(on_tissue) / static_cast<float>(pixels);
}

/// Whether at least half of the pixels are of a colour that neither stain can give.
bool on_artefact(std::span<const PixelRun> runs, ConstRgbView rgb, const PixelPoint& origin) {
    int64_t pixels = 0, inked = 0;
    for (const PixelRun& run : runs) {
        const uint8_t* pixel = rgb.at(run.x0 - origin.x, run.y - origin.y);
        for (int32_t x = run.x0; x < run.x1; ++x, pixel += 3) inked += is_ink(pixel);
        pixels += run.x1 - run.x0;
    }
    return 2 * inked >= pixels;
}
}  // namespace

// Two passes, counting first.
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

WindowMeasurer::WindowMeasurer(const WorkFrame& frame, const TissueMask& tissue,
                               const StainMatrix& stains, const FeatureConfig& features,
                               const WorkReader* texture, StageClocks& clocks)
    : frame_(frame),
      tissue_(tissue),
      texture_(texture),
      clocks_(clocks),
      columns_(feature_schema(features).size()),
      extract_(frame, stains, features, texture != nullptr ? texture->frame() : frame),
      row_(columns_) {}

NucleusIdentity WindowMeasurer::identify(const LabelledWindow& window, uint32_t label,
                                         std::span<const PixelRun> runs) {
    const PixelPoint origin{window.rect.x, window.rect.y};
    trace_(window.labels, label, {runs[0].x0 - origin.x, runs[0].y - origin.y}, origin,
           frame_.downsample, ring_);
    NucleusIdentity who = nucleus_identity(runs, ring_, frame_);
    who.tissue_fraction = tissue_fraction(runs, tissue_);
    if (at_slide_edge(runs, frame_.size)) who.flags |= kAtSlideEdge;
    if (who.tissue_fraction < 1) who.flags |= kAtRoiEdge;
    if (on_artefact(runs, window.rgb, origin)) who.flags |= kOnArtefact;
    return who;
}

// One nucleus at a time, so that neither its texture nor memory depends on the window; neighbours
// find their blocks decoded. A block that cannot be decoded leaves no pixels at all.
PixelPoint WindowMeasurer::read_texture(std::span<const PixelRun> runs) {
    fine_.resize(0, 0);
    if (texture_ == nullptr) return {};
    const PixelRect rect = intersection(extract_.texture_rect(runs), texture_->frame().rect());
    if (rect.empty()) return {};
    const int64_t start = cpu_ns(CpuOf::Thread);
    fine_.resize(rect.width, rect.height);
    const std::vector<FailedBlock> failed = texture_->read(rect, fine_);
    move_cpu(clocks_, Stage::Features, Stage::Read, cpu_ns(CpuOf::Thread) - start);
    if (!failed.empty()) fine_.resize(0, 0);
    failures_.insert(failures_.end(), failed.begin(), failed.end());
    return {rect.x, rect.y};
}

// In the order of ids from the start: nothing is copied to sort it, and neighbours in a cell of 512
// pixels find each other's rows in the cache.
std::vector<uint32_t> WindowMeasurer::owned_labels(const LabelledWindow& window,
                                                   const PixelRect& owned, OffTissue off) const {
    std::vector<NucleusIdentity> centres(window.count + 1);
    std::vector<uint32_t> labels;
    for (uint32_t label = 1; label <= window.count; ++label) {
        if (runs_of(label).empty()) continue;
        double& x = centres[label].centroid_x_work;
        double& y = centres[label].centroid_y_work;
        work_centroid(runs_of(label), x, y);
        if (inside(owned, x, y) && (off != OffTissue::LeftOut || tissue_.contains(x, y)))
            labels.push_back(label);
    }
    std::stable_sort(labels.begin(), labels.end(),
                     [&](uint32_t a, uint32_t b) { return id_order(centres[a], centres[b]); });
    return labels;
}

NucleiBatch WindowMeasurer::operator()(const LabelledWindow& window, const PixelRect& owned,
                                       OffTissue off, const Describe& describe) {
    SharedCpuScope clock(clocks_, Stage::Features, Stage::Contour);
    const PixelPoint origin{window.rect.x, window.rect.y};
    collect_runs(window.labels, window.count, origin, runs_, run_offsets_);
    const std::vector<uint32_t> labels = owned_labels(window, owned, off);
    NucleiBatch out;
    out.columns = columns_;
    out.identity.reserve(labels.size());
    out.features.reserve(labels.size() * columns_);
    for (const uint32_t label : labels) {
        const std::span<const PixelRun> runs = runs_of(label);
        NucleusIdentity who = clock.part([&] { return identify(window, label, runs); });
        describe(label, runs, who);
        const PixelPoint fine_origin = read_texture(runs);
        extract_({runs, ring_, window.rgb, window.labels, origin, std::as_const(fine_).view(),
                  fine_origin},
                 row_);
        out.append(who, row_, ring_, runs);
    }
    return out;
}

}  // namespace wsi
