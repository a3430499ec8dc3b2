#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/nuclei_import.h"
#include "io/roi.h"
#include "io/slide.h"
#include "io/slide_suffixes.h"
#include "io/types/suffix.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

/// An outline with a longer box stands for an area in which every nucleus was marked.
constexpr double kMostNucleusUm = 128;
/// Longest side of an entry, level-0 pixels.
constexpr int64_t kFieldPx = 2048;

struct Marked {
    std::vector<RoiPoint> ring;  ///< level-0 pixels
    PixelRect box0;              ///< of the pixels that the ring touches
    uint8_t class_id = 0;
};

PixelRect box_of(const std::vector<RoiPoint>& ring) {
    double x0 = HUGE_VAL, y0 = HUGE_VAL, x1 = -HUGE_VAL, y1 = -HUGE_VAL;
    for (const RoiPoint& p : ring) {
        x0 = std::min(x0, p.x), x1 = std::max(x1, p.x);
        y0 = std::min(y0, p.y), y1 = std::max(y1, p.y);
    }
    const auto down = [](double v) { return static_cast<int64_t>(std::floor(v)); };
    const auto up = [](double v) { return static_cast<int64_t>(std::ceil(v)); };
    return rect_from_corners(down(x0), down(y0), std::max(down(x0) + 1, up(x1)),
                             std::max(down(y0) + 1, up(y1)));
}

/// `ring` seen from `from`.
RoiPolygon shifted(const std::vector<RoiPoint>& ring, const PixelRect& from) {
    RoiPolygon out{{ring}};
    for (RoiPoint& p : out.rings.front())
        p.x -= static_cast<double>(from.x), p.y -= static_cast<double>(from.y);
    return out;
}

/// What a slide's GeoJSON says.
struct Annotations {
    SlideInfo slide;
    std::vector<Marked> nuclei, areas;
};

/// Throws Error{Config} that counts the records which are no outlines: a nucleus that is left out
/// would be learned as background.
Annotations read_annotations(const std::string& path, const SlideInfo& slide,
                             ForeignClasses& classes) {
    Annotations out{slide, {}, {}};
    const ForeignFrame frame{
        slide, {slide.size(), 1, slide.mpp_x, slide.mpp_y}, {slide.bounds.x, slide.bounds.y}, 0};
    const double most_px = kMostNucleusUm / std::sqrt(slide.mpp_x * slide.mpp_y);
    size_t unreadable = 0;
    std::string first;
    NucleiSink sink;
    sink.nucleus = [&](ForeignNucleus&& nucleus) {
        if (nucleus.ring.size() < 3) return;  // no area
        Marked marked{std::move(nucleus.ring), {}, nucleus.class_id};
        marked.box0 = box_of(marked.ring);
        const auto side = static_cast<double>(std::max(marked.box0.width, marked.box0.height));
        (side > most_px ? out.areas : out.nuclei).push_back(std::move(marked));
    };
    sink.unreadable = [&](const std::string& why) {
        if (unreadable++ == 0) first = why;
    };
    read_foreign_nuclei(path, frame, classes, sink);
    if (unreadable > 0)
        fail(ErrorKind::Config, path, ": ", unreadable,
             " records are no outlines; the first: ", first,
             "; delete them, or draw them as polygons");
    return out;
}

/// Squares of the level-0 grid, or the areas' boxes in pieces, on the slide.
class Fields {
public:
    explicit Fields(const Annotations& of)
        : slide_{0, 0, of.slide.size().width, of.slide.size().height} {
        for (const Marked& area : of.areas) add_pieces(intersection(area.box0, slide_));
        if (of.areas.empty())
            for (const Marked& nucleus : of.nuclei) add_square_of(nucleus.box0);
        std::ranges::sort(all_, {}, [](const PixelRect& r) { return std::pair(r.y, r.x); });
        all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
    }
    const std::vector<PixelRect>& all() const { return all_; }

private:
    void add_pieces(const PixelRect& box) {
        for (int64_t y = box.y; y < box.bottom(); y += kFieldPx)
            for (int64_t x = box.x; x < box.right(); x += kFieldPx)
                all_.push_back(intersection({x, y, kFieldPx, kFieldPx}, box));
    }
    /// The square in which the middle of a nucleus lies.
    void add_square_of(const PixelRect& box) {
        const int64_t x = (box.x + box.width / 2) / kFieldPx,
                      y = (box.y + box.height / 2) / kFieldPx;
        const PixelRect square =
            intersection({x * kFieldPx, y * kFieldPx, kFieldPx, kFieldPx}, slide_);
        if (!square.empty()) all_.push_back(square);
    }
    const PixelRect slide_;
    std::vector<PixelRect> all_;
};

/// Slides, each with a GeoJSON file of the same stem (QuPath's, or ours).
class SlidesDataset final : public Dataset {
public:
    SlidesDataset(const fs::path& folder, const std::map<std::string, std::string>& annotations,
                  const std::map<std::string, std::string>& slides) {
        const std::string dataset = fs::canonical(folder).filename().string();
        for (const auto& [stem, file] : annotations) {
            slide_ = open_slide(slides.at(stem), {});
            annotations_.push_back(read_annotations(file, slide_->info(), classes_));
            const SlideInfo& info = slide_->info();
            const Fields fields(annotations_.back());
            for (const PixelRect& field : fields.all()) {
                entries_.push_back(
                    {stem + "-" + std::to_string(field.y) + "-" + std::to_string(field.x), dataset,
                     stem, "", "", std::sqrt(info.mpp_x * info.mpp_y), ""});
                places_.push_back({annotations_.size() - 1, field});
            }
        }
        name_classes();
    }

protected:
    LabelledImage load(const ImageEntry&, size_t index) const override {
        const auto& [which, field] = places_[index];
        const Annotations& marked = annotations_[which];
        LabelledImage out;
        out.rgb = read_field(marked.slide.path, field);
        draw_nuclei(marked.nuclei, field, out);
        if (!marked.areas.empty()) out.vague = outside(marked.areas, field);
        return out;
    }

private:
    struct Place {
        size_t slide;
        PixelRect field;
    };

    /// Entries are read in order: one slide is open at a time.
    RgbImage read_field(const std::string& path, const PixelRect& field) const {
        if (!slide_ || slide_->info().path != path) slide_ = open_slide(path, {});
        RgbImage rgb(field.width, field.height);
        if (const auto problem = slide_->read(0, field, rgb.view()))
            fail(ErrorKind::Config, path, ": level 0 at ", field.x, ", ", field.y, ": ", *problem);
        return rgb;
    }

    /// Later outlines lie on top; a pixel belongs to an outline that holds its centre.
    void draw_nuclei(const std::vector<Marked>& nuclei, const PixelRect& field,
                     LabelledImage& out) const {
        out.labels = Image<uint32_t>(field.width, field.height, 0);
        if (!class_names_.empty()) out.classes = GrayImage(field.width, field.height, 0);
        uint32_t id = 0;
        for (const Marked& nucleus : nuclei) {
            const PixelRect part = intersection(nucleus.box0, field);
            if (part.empty()) continue;
            ++id;
            const GrayImage inside = rasterise_roi({shifted(nucleus.ring, part)}, part.size(), 1);
            for (int64_t y = 0; y < part.height; ++y)
                for (int64_t x = 0; x < part.width; ++x) {
                    if (inside(x, y) == 0) continue;
                    const int64_t u = part.x - field.x + x, v = part.y - field.y + y;
                    out.labels(u, v) = id;
                    if (!out.classes.empty()) out.classes(u, v) = class_of_[nucleus.class_id];
                }
        }
    }

    static GrayImage outside(const std::vector<Marked>& areas, const PixelRect& field) {
        GrayImage out(field.width, field.height, 1);
        for (const Marked& area : areas) {
            const GrayImage inside = rasterise_roi({shifted(area.ring, field)}, field.size(), 1);
            for (int64_t i = 0; i < out.size().area(); ++i)
                out.data()[i] = out.data()[i] != 0 && inside.data()[i] == 0;
        }
        return out;
    }

    /// Classes that nuclei have; areas' names do not count, nor does a single nameless one.
    void name_classes() {
        std::array<bool, 256> used{};
        for (const Annotations& slide : annotations_)
            for (const Marked& nucleus : slide.nuclei) used[nucleus.class_id] = true;
        for (const NucleusClass& c : classes_.all()) {
            if (!used[c.id]) continue;
            class_names_.push_back(c.name);
            class_of_[c.id] = static_cast<uint8_t>(class_names_.size());
        }
        if (class_names_.size() == 1 && class_names_.front() == NucleusClass{}.name)
            class_names_.clear();
    }

    ForeignClasses classes_;
    std::array<uint8_t, 256> class_of_{};  ///< from the ids of classes_ to those of class_names_
    std::vector<Annotations> annotations_;
    std::vector<Place> places_;
    mutable std::unique_ptr<Slide> slide_;  ///< read last
};

bool is_geojson(const std::string& lower_name) {
    return lower_name.ends_with(".geojson") || lower_name.ends_with(".geojson.gz");
}

}  // namespace

std::unique_ptr<Dataset> open_slides(const fs::path& folder) {
    std::map<std::string, std::string> annotations, slides;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with('.') || !entry.is_regular_file()) continue;
        if (is_geojson(lower_case(name)))
            add_by_stem(annotations, name.substr(0, lower_case(name).rfind(".geojson")),
                        entry.path());
        else if (slide_suffixes().contains(lower_suffix(entry.path())))
            add_by_stem(slides, entry.path().stem().string(), entry.path());
    }
    if (annotations.empty()) return nullptr;
    for (const auto& [stem, file] : annotations)
        if (!slides.contains(stem))
            fail(ErrorKind::Config, file, ": no slide ", stem, " with a known suffix beside it");
    for (const auto& [stem, file] : slides)
        if (!annotations.contains(stem))
            fail(ErrorKind::Config, file, ": no ", stem,
                 ".geojson beside it; export its annotations, or move it elsewhere");
    return std::make_unique<SlidesDataset>(folder, annotations, slides);
}

}  // namespace wsi
