#include "pipeline/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/text_file.h"

namespace wsi {

namespace {

constexpr float kDrawnOtherwise = 0.75f;
constexpr size_t kShownColumns = 40;

struct LayerClass {
    const char* name;
    const char* rgb;
};
constexpr LayerClass kOnlyA{"Only in A", "213,94,0"}, kOnlyB{"Only in B", "0,158,115"},
    kInPiecesA{"In pieces in B", "230,159,0"}, kInPiecesB{"In pieces in A", "86,180,233"},
    kOtherwise{"Drawn otherwise", "204,121,167"};

/// Nothing for nuclei that both have.
const LayerClass* class_of(Fate fate, float best, bool from_a) {
    if (fate == Fate::Only) return from_a ? &kOnlyA : &kOnlyB;
    if (fate == Fate::InPieces) return from_a ? &kInPiecesA : &kInPiecesB;
    return from_a && best < kDrawnOtherwise ? &kOtherwise : nullptr;
}

class LayerWriter {
public:
    LayerWriter(const std::string& path, PixelPoint origin0) : file_(path), origin0_(origin0) {
        file_.write(R"({"type":"FeatureCollection","features":[)");
    }

    void add(const ResultReader& result, const std::vector<Fate>& fates,
             const std::vector<float>& best, bool from_a) {
        constexpr uint64_t kBlock = 16384;
        for (uint64_t first = 0; first < result.count(); first += kBlock) {
            const uint64_t n = std::min(kBlock, result.count() - first);
            const NucleiBatch rows = result.rows(first, n, {});  // outlines only
            const std::vector<std::string> uuids = result.uuids(first, n);
            for (size_t i = 0; i < n; ++i)
                if (const LayerClass* c = class_of(fates[first + i], best[first + i], from_a))
                    write(rows.contour(i), uuids[i], *c, best[first + i]);
        }
    }

    void finish() {
        file_.write("\n]}\n");
        file_.commit();
    }

private:
    void write(std::span<const ContourPoint> ring, const std::string& uuid, const LayerClass& c,
               float best) {
        std::string text = std::exchange(first_, false) ? "\n" : ",\n";
        text += R"({"type":"Feature","id":")" + uuid +
                R"(","geometry":{"type":"Polygon","coordinates":[[)";
        for (size_t k = 0; k <= ring.size(); ++k) {
            const ContourPoint& p = ring[k % ring.size()];
            text += k == 0 ? "[" : ",[";
            append_hundredths(text, p.x - 100 * origin0_.x);
            text += ',';
            append_hundredths(text, p.y - 100 * origin0_.y);
            text += ']';
        }
        text +=
            fmt::format(R"(]]}},"properties":{{"objectType":"detection","classification":)"
                        R"({{"name":"{}","color":[{}]}},"measurements":{{"Best IoU":{:.4f}}}}}}})",
                        c.name, c.rgb, best);
        file_.write(text);
    }

    TextFile file_;
    const PixelPoint origin0_;
    bool first_ = true;
};

std::string number(double value) { return std::isnan(value) ? "" : fmt::format("{:.6g}", value); }

/// Columns by how far they moved, in units of their own spread of differences.
std::vector<const ColumnShift*> largest_first(const Comparison& c) {
    std::vector<const ColumnShift*> out;
    for (const ColumnShift& s : c.shifts)
        if (s.median_absolute_difference > 0) out.push_back(&s);
    std::ranges::stable_sort(out, std::greater(), [](const ColumnShift* s) {
        const double size = std::max(std::abs(s->median_a), std::abs(s->median_b));
        return size > 0 ? s->median_absolute_difference / size : INFINITY;
    });
    return out;
}

}  // namespace

std::string comparison_markdown(const Comparison& c, const std::string& name_a,
                                const std::string& name_b) {
    std::string out = fmt::format("# A: {} — B: {}\n\n", name_a, name_b);
    out += "| | A | B |\n|---|---|---|\n";
    const auto row = [&out](const char* what, uint64_t a, uint64_t b) {
        out += fmt::format("| {} | {} | {} |\n", what, a, b);
    };
    row("nuclei", c.count_a, c.count_b);
    row("matched (IoU > 0.5)", c.pairs.size(), c.pairs.size());
    row("only here", c.count(c.fate_a, Fate::Only), c.count(c.fate_b, Fate::Only));
    row("in pieces in the other", c.count(c.fate_a, Fate::InPieces),
        c.count(c.fate_b, Fate::InPieces));
    out += fmt::format(
        "\nPQ {:.4f}, F1 {:.4f}, SQ {:.4f}, Dice {:.4f}; matched nuclei of another "
        "class: {}\n",
        c.pq, c.dq, c.sq, c.dice, c.other_class);
    const auto moved = largest_first(c);
    out += fmt::format("\n{} of {} columns differ in more than half of the matched pairs",
                       moved.size(), c.shifts.size());
    out += moved.empty() ? ".\n"
                         : ":\n\n| column | unit | median A | median B | median B − A | median "
                           "abs(B − A) | pairs |\n|---|---|---|---|---|---|---|\n";
    for (size_t i = 0; i < std::min(moved.size(), kShownColumns); ++i) {
        const ColumnShift& s = *moved[i];
        out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", s.name, s.unit,
                           number(s.median_a), number(s.median_b), number(s.median_difference),
                           number(s.median_absolute_difference), s.pairs);
    }
    if (moved.size() > kShownColumns)
        out += fmt::format("\n{} more; -o FILE.csv has all.\n", moved.size() - kShownColumns);
    if (!c.only_a.empty())
        out += fmt::format("\nColumns only in A: {}\n", fmt::join(c.only_a, ", "));
    if (!c.only_b.empty())
        out += fmt::format("\nColumns only in B: {}\n", fmt::join(c.only_b, ", "));
    return out;
}

std::string comparison_csv(const Comparison& c) {
    std::string out = "quantity,a,b,difference,absolute_difference,pairs,unit\n";
    const auto count = [&out](const char* what, uint64_t a, uint64_t b) {
        out += fmt::format("{},{},{},{},,,1\n", what, a, b,
                           static_cast<int64_t>(b) - static_cast<int64_t>(a));
    };
    count("nuclei", c.count_a, c.count_b);
    count("matched", c.pairs.size(), c.pairs.size());
    count("only_here", c.count(c.fate_a, Fate::Only), c.count(c.fate_b, Fate::Only));
    count("in_pieces", c.count(c.fate_a, Fate::InPieces), c.count(c.fate_b, Fate::InPieces));
    for (const auto& [name, value] :
         {std::pair{"pq", c.pq}, {"f1", c.dq}, {"sq", c.sq}, {"dice", c.dice}})
        out += fmt::format("{},,,{},,{},1\n", name, number(value), c.pairs.size());
    out += fmt::format("other_class,,,{},,{},1\n", c.other_class, c.pairs.size());
    for (const ColumnShift& s : c.shifts)
        out += fmt::format("{},{},{},{},{},{},{}\n", s.name, number(s.median_a), number(s.median_b),
                           number(s.median_difference), number(s.median_absolute_difference),
                           s.pairs, s.unit);
    return out;
}

void write_difference_layer(const std::string& path, const ResultReader& a, const ResultReader& b,
                            const Comparison& c, Frame frame) {
    const PixelRect& bounds = a.header().slide.bounds;
    LayerWriter layer(path, frame == Frame::Qupath ? PixelPoint{bounds.x, bounds.y} : PixelPoint{});
    layer.add(a, c.fate_a, c.best_a, true);
    layer.add(b, c.fate_b, c.best_b, false);
    layer.finish();
}

}  // namespace wsi
