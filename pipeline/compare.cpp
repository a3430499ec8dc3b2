#include "pipeline/compare.h"

#include <algorithm>
#include <cmath>

namespace wsi {

namespace {

/// Pixels that a nucleus of A and one of B share.
struct Shared {
    uint64_t key = 0;  ///< id in A << 32 | id in B
    uint32_t pixels = 0;
    uint32_t a() const { return static_cast<uint32_t>(key >> 32) - 1; }
    uint32_t b() const { return static_cast<uint32_t>(key) - 1; }
};

/// Adds up entries of one key; sorted by key afterwards.
void merge(std::vector<Shared>& list) {
    std::ranges::sort(list, {}, &Shared::key);
    size_t kept = 0;
    for (size_t i = 0; i < list.size(); ++i) {
        if (kept > 0 && list[kept - 1].key == list[i].key)
            list[kept - 1].pixels += list[i].pixels;
        else
            list[kept++] = list[i];
    }
    list.resize(kept);
}

class Overlaps {
public:
    Overlaps(const ResultReader& a, const ResultReader& b)
        : a_(a), b_(b), area_a(a.count(), 0), area_b(b.count(), 0) {}

    void count(const std::function<void(double)>& progress) {
        const WorkFrame& frame = a_.header().frame;
        for (int64_t y = 0; y < frame.size.height; y += kChunkPx) {
            for (int64_t x = 0; x < frame.size.width; x += kChunkPx)
                count_block(intersection({x, y, kChunkPx, kChunkPx}, frame.rect()));
            if (progress) progress(static_cast<double>(y) / static_cast<double>(frame.size.height));
        }
        merge(shared);
    }

    double iou(const Shared& s) const {
        return s.pixels / (static_cast<double>(area_a[s.a()]) + area_b[s.b()] - s.pixels);
    }

private:
    void count_block(const PixelRect& block) {
        labels_a_.resize(block.width, block.height);
        a_.read(Raster::Labels, block, labels_a_.view());
        read_b(block);
        block_.clear();
        for (int64_t y = 0; y < block.height; ++y)
            for (int64_t x = 0; x < block.width; ++x) {
                const uint32_t a = labels_a_(x, y), b = labels_b_(x, y);
                if (a > 0) ++area_a.at(a - 1);
                if (b > 0) ++area_b.at(b - 1);
                if (a == 0 || b == 0) continue;
                const uint64_t key = uint64_t{a} << 32 | b;
                if (!block_.empty() && block_.back().key == key)
                    ++block_.back().pixels;
                else
                    block_.push_back({key, 1});
            }
        merge(block_);
        shared.insert(shared.end(), block_.begin(), block_.end());
    }

    /// B's labels on A's pixels: the pixel of B that holds the centre of A's.
    void read_b(const PixelRect& block) {
        const WorkFrame &frame_a = a_.header().frame, &frame_b = b_.header().frame;
        labels_b_.resize(block.width, block.height);
        if (frame_a.size == frame_b.size) return b_.read(Raster::Labels, block, labels_b_.view());
        const double ratio = frame_a.downsample / frame_b.downsample;
        const auto at = [ratio](int64_t v, int64_t size) {
            return std::min(static_cast<int64_t>((static_cast<double>(v) + 0.5) * ratio), size - 1);
        };
        const PixelRect part =
            rect_from_corners(at(block.x, frame_b.size.width), at(block.y, frame_b.size.height),
                              at(block.right() - 1, frame_b.size.width) + 1,
                              at(block.bottom() - 1, frame_b.size.height) + 1);
        part_b_.resize(part.width, part.height);
        b_.read(Raster::Labels, part, part_b_.view());
        for (int64_t y = 0; y < block.height; ++y)
            for (int64_t x = 0; x < block.width; ++x)
                labels_b_(x, y) = part_b_(at(block.x + x, frame_b.size.width) - part.x,
                                          at(block.y + y, frame_b.size.height) - part.y);
    }

    const ResultReader &a_, &b_;
    Image<uint32_t> labels_a_, labels_b_, part_b_;
    std::vector<Shared> block_;

public:
    std::vector<uint32_t> area_a, area_b;
    std::vector<Shared> shared;
};

void check_same_slide(const ResultReader& a, const ResultReader& b) {
    const SlideInfo &x = a.header().slide, &y = b.header().slide;
    if (x.hash == y.hash && x.size() == y.size()) return;
    fail(ErrorKind::Config, "results of different slides: ", x.path, " (", x.size().width, "x",
         x.size().height, ", hash ", x.hash, ") and ", y.path, " (", y.size().width, "x",
         y.size().height, ", hash ", y.hash, ")");
}

int64_t total(const std::vector<uint32_t>& areas) {
    int64_t sum = 0;
    for (const uint32_t area : areas) sum += area;
    return sum;
}

void find_fates(const Overlaps& overlaps, Comparison& out) {
    std::vector<uint8_t> inside_a(out.count_a, 0), inside_b(out.count_b, 0);
    const auto one_more = [](uint8_t& n) { n = static_cast<uint8_t>(std::min(n + 1, 2)); };
    for (const Shared& s : overlaps.shared) {
        const double iou = overlaps.iou(s);
        out.both_px += s.pixels;
        out.best_a[s.a()] = std::max(out.best_a[s.a()], static_cast<float>(iou));
        out.best_b[s.b()] = std::max(out.best_b[s.b()], static_cast<float>(iou));
        if (2 * s.pixels > overlaps.area_b[s.b()]) one_more(inside_a[s.a()]);
        if (2 * s.pixels > overlaps.area_a[s.a()]) one_more(inside_b[s.b()]);
        if (iou <= 0.5) continue;
        out.pairs.push_back({s.a(), s.b(), static_cast<float>(iou)});
        out.fate_a[s.a()] = out.fate_b[s.b()] = Fate::Matched;
    }
    const auto in_pieces = [](std::vector<Fate>& fates, const std::vector<uint8_t>& inside) {
        for (size_t i = 0; i < fates.size(); ++i)
            if (fates[i] == Fate::Only && inside[i] > 1) fates[i] = Fate::InPieces;
    };
    in_pieces(out.fate_a, inside_a);
    in_pieces(out.fate_b, inside_b);
}

void find_scores(Comparison& out) {
    double iou = 0;
    for (const MatchedPair& pair : out.pairs) iou += pair.iou;
    const auto matched = static_cast<double>(out.pairs.size());
    const double all = 0.5 * static_cast<double>(out.count_a + out.count_b);
    out.dq = all > 0 ? matched / all : 1;
    out.sq = matched > 0 ? iou / matched : (all > 0 ? 0 : 1);
    out.pq = out.dq * out.sq;
    const auto pixels = static_cast<double>(out.area_a_px + out.area_b_px);
    out.dice = pixels > 0 ? 2 * static_cast<double>(out.both_px) / pixels : 1;
}

void count_other_classes(const ResultReader& a, const ResultReader& b, Comparison& out) {
    const auto names = [](const ResultReader& r) {
        std::vector<std::string> by_id(256);
        for (const NucleusClass& c : r.header().classes) by_id[c.id] = c.name;
        return by_id;
    };
    const auto names_a = names(a), names_b = names(b);
    const std::vector<uint8_t> class_a = a.classes(), class_b = b.classes();
    for (const MatchedPair& pair : out.pairs)
        out.other_class += names_a[class_a[pair.a]] != names_b[class_b[pair.b]];
}

/// The middle value; the mean of the middle two for an even number. Reorders.
double median(std::vector<float>& values) {
    if (values.empty()) return NAN;
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (double{*middle} + *std::max_element(values.begin(), middle)) / 2;
}

ColumnShift shift_of(const FeatureColumn& column, const std::vector<float>& a,
                     const std::vector<float>& b, const std::vector<MatchedPair>& pairs) {
    std::vector<float> values_a, values_b, differences;
    for (const MatchedPair& pair : pairs) {
        const float x = a[pair.a], y = b[pair.b];
        if (std::isnan(x) || std::isnan(y)) continue;
        values_a.push_back(x);
        values_b.push_back(y);
        differences.push_back(y - x);
    }
    ColumnShift shift{column.name, column.unit, values_a.size()};
    shift.median_a = median(values_a);
    shift.median_b = median(values_b);
    shift.median_difference = median(differences);
    for (float& d : differences) d = std::abs(d);
    shift.median_absolute_difference = median(differences);
    return shift;
}

void find_shifts(const ResultReader& a, const ResultReader& b, Comparison& out,
                 const std::function<void(double)>& progress) {
    const FeatureSchema &schema_a = a.header().schema, &schema_b = b.header().schema;
    const auto has = [](const FeatureSchema& schema, const std::string& name) {
        return std::ranges::find(schema, name, &FeatureColumn::name) != schema.end();
    };
    for (size_t k = 0; k < schema_a.size(); ++k) {
        const std::string& name = schema_a[k].name;
        if (!has(schema_b, name)) {
            out.only_a.push_back(name);
            continue;
        }
        out.shifts.push_back(shift_of(schema_a[k], a.feature(name), b.feature(name), out.pairs));
        if (progress)
            progress(0.5 + 0.5 * static_cast<double>(k) / static_cast<double>(schema_a.size()));
    }
    for (const FeatureColumn& c : schema_b)
        if (!has(schema_a, c.name)) out.only_b.push_back(c.name);
}

}  // namespace

uint64_t Comparison::count(const std::vector<Fate>& fates, Fate fate) const {
    return static_cast<uint64_t>(std::ranges::count(fates, fate));
}

Comparison compare_results(const ResultReader& a, const ResultReader& b,
                           const std::function<void(double fraction)>& progress) {
    check_same_slide(a, b);
    Comparison out;
    out.count_a = a.count();
    out.count_b = b.count();
    out.fate_a.assign(a.count(), Fate::Only);
    out.fate_b.assign(b.count(), Fate::Only);
    out.best_a.assign(a.count(), 0);
    out.best_b.assign(b.count(), 0);
    Overlaps overlaps(a, b);
    overlaps.count([&](double part) {
        if (progress) progress(part / 2);
    });
    out.area_a_px = total(overlaps.area_a);
    out.area_b_px = total(overlaps.area_b);
    find_fates(overlaps, out);
    find_scores(out);
    count_other_classes(a, b, out);
    find_shifts(a, b, out, progress);
    return out;
}

}  // namespace wsi
