#include "pipeline/take_nuclei.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/block_file.h"
#include "io/nuclei_import.h"
#include "io/sha.h"
#include "pipeline/nuclei_store.h"
#include "stages/nucleus_identity.h"
#include "stages/nucleus_raster.h"

namespace wsi {

using nlohmann::json;

namespace {

constexpr uint64_t kAlwaysAllowed = 10;

class NoSegmenter final : public Segmenter {
public:
    explicit NoSegmenter(const std::string& nuclei_hash) {
        spec_.name = "measure";
        spec_.halo_px = 0;
        spec_.hash = nuclei_hash;
    }
    const InputSpec& input_spec() const override { return spec_; }
    void segment(std::span<TileSlot* const>, std::span<const double>) override {
        fail(ErrorKind::Internal, "nuclei that are measured are not looked for");
    }

private:
    InputSpec spec_;
};

json to_json(const TakenSummary& s) {
    json classes = json::array();
    for (const NucleusClass& c : s.classes)
        classes.push_back({c.id, c.name, c.rgb[0], c.rgb[1], c.rgb[2]});
    return {{"taken", s.taken},         {"repaired", s.repaired},
            {"too_small", s.too_small}, {"too_large", s.too_large},
            {"off_slide", s.off_slide}, {"unreadable", s.unreadable},
            {"files", s.files},         {"most_side_px", s.most_side_px},
            {"classes", classes},       {"first_unreadable", s.first_unreadable}};
}

TakenSummary summary_from(const json& j) {
    TakenSummary s;
    s.taken = j.at("taken"), s.repaired = j.at("repaired");
    s.too_small = j.at("too_small"), s.too_large = j.at("too_large");
    s.off_slide = j.at("off_slide"), s.unreadable = j.at("unreadable");
    s.files = j.at("files"), s.most_side_px = j.at("most_side_px");
    s.first_unreadable = j.at("first_unreadable");
    for (const json& c : j.at("classes"))
        s.classes.push_back({c.at(0), c.at(1), {c.at(2), c.at(3), c.at(4)}});
    return s;
}

class Taker {
public:
    Taker(const SlidePlan& plan, const PartStore& parts, RunStatus& status)
        : plan_(plan), raster_(plan.frame), store_(taken_prefix(parts)), status_(status) {}

    NucleiSink sink() {
        return {[this](ForeignNucleus&& n) { take(std::move(n)); },
                [this](const std::string& why) {
                    if (summary_.unreadable++ == 0) summary_.first_unreadable = why;
                },
                [this](double fraction) {
                    status_.phase_fraction = fraction;
                    status_.at("import");
                    if (status_.stopping())
                        fail(ErrorKind::Cancelled,
                             "interrupted; run the same command again to resume");
                }};
    }
    const NucleusRaster& raster() const { return raster_; }
    TakenSummary finish() {
        summary_.files = store_.finish();
        return summary_;
    }

private:
    void take(ForeignNucleus&& n) {
        const RasterOutcome outcome =
            n.runs.empty() ? raster_(n.ring, n.grow_px, n.runs) : raster_.clean(n.runs);
        switch (outcome) {
            case RasterOutcome::TooSmall: ++summary_.too_small; return;
            case RasterOutcome::TooLarge: ++summary_.too_large; return;
            case RasterOutcome::OffSlide: ++summary_.off_slide; return;
            case RasterOutcome::Repaired: ++summary_.repaired; break;
            case RasterOutcome::Clean: break;
        }
        store_.add(region_of(n.runs), describe(n), n.runs);
        ++summary_.taken;
    }

    int64_t region_of(std::span<const PixelRun> runs) const {
        double x = 0, y = 0;
        work_centroid(runs, x, y);
        const auto tile = [this](double v) {
            return static_cast<int32_t>(static_cast<int64_t>(v) / plan_.spec.core_px);
        };
        return plan_.regions.rank(plan_.regions.region_of({tile(y), tile(x)}));
    }

    TakenNucleus describe(const ForeignNucleus& n) {
        TakenNucleus out;
        out.order = summary_.taken;
        out.source = n.source;
        out.class_id = n.class_id;
        out.class_probability = n.class_probability;
        out.detection_probability = n.detection_probability;
        out.y0 = n.runs.front().y;
        out.y1 = n.runs.back().y + 1;
        out.x0 = std::ranges::min_element(n.runs, {}, &PixelRun::x0)->x0;
        out.x1 = std::ranges::max_element(n.runs, {}, &PixelRun::x1)->x1;
        for (const PixelRun& run : n.runs) out.area_px += run.x1 - run.x0;
        summary_.most_side_px = std::max({summary_.most_side_px, out.x1 - out.x0, out.y1 - out.y0});
        return out;
    }

    const SlidePlan& plan_;
    NucleusRaster raster_;
    NucleiStoreWriter store_;
    RunStatus& status_;
    TakenSummary summary_;
};

void check_skipped(const TakenSummary& s, const ForeignNuclei& nuclei) {
    const auto all = static_cast<double>(s.taken + s.skipped());
    if (s.skipped() <= kAlwaysAllowed && s.taken > 0) return;
    if (static_cast<double>(s.skipped()) <= nuclei.max_skipped * all) return;
    fail(ErrorKind::Config, nuclei.path, ": ", s.skipped(), " of ", s.taken + s.skipped(),
         " nuclei cannot be used (", s.text(), "); at most ", nuclei.max_skipped * 100,
         " % may be left out: check that they are of this slide, and --frame; or raise "
         "--max-skipped");
}

}  // namespace

std::unique_ptr<Segmenter> segmenter_for_measuring(const ForeignNuclei& nuclei, Frame frame) {
    return std::make_unique<NoSegmenter>(sha256_of_file(nuclei.path) +
                                         (frame == Frame::Qupath ? " qupath" : " level0"));
}

std::string TakenSummary::text() const {
    std::string parts;
    const auto add = [&parts](uint64_t count, const char* what) {
        if (count > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, what);
    };
    add(too_small, "without area");
    add(too_large, "longer than 128 µm");
    add(off_slide, "off the slide");
    add(unreadable, "unreadable");
    if (!first_unreadable.empty()) parts += ", the first: " + first_unreadable;
    return parts;
}

std::string taken_prefix(const PartStore& parts) { return parts.folder() + "/taken-"; }

TakenSummary take_nuclei(const ForeignNuclei& nuclei, const SlideInfo& slide, PixelPoint origin0,
                         const SlidePlan& plan, const PartStore& parts, RunStatus& status) {
    const std::string done = taken_prefix(parts) + "summary";
    if (std::filesystem::exists(done) && block_file_is_whole(done))
        return summary_from(json::parse(BlockFileReader(done).header()));
    status.enter("import");
    Taker taker(plan, parts, status);
    ForeignClasses classes;
    read_foreign_nuclei(nuclei.path,
                        {slide, plan.frame, origin0, double(taker.raster().most_side_px())},
                        classes, taker.sink());
    TakenSummary summary = taker.finish();
    summary.classes = classes.all();
    check_skipped(summary, nuclei);
    BlockFileWriter file(done);
    file.commit(to_json(summary).dump(-1, ' ', false, json::error_handler_t::replace),
                Durability::Sync);
    return summary;
}

}  // namespace wsi
