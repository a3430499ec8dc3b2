#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "io/export_formats.h"
#include "io/html.h"
#include "io/overview.h"
#include "io/result_layout.h"
#include "io/text_file.h"

// A page for people: where the nuclei are, how many, how they look, and what to be wary of. Two
// passes over the rows, so that memory does not grow with their number; a function of the result
// alone, so it names no date and no machine.
namespace wsi {

namespace {

constexpr int64_t kPicturePx = 900;
constexpr size_t kBins = 40;
constexpr int kWidthPx = 300, kHeightPx = 120;

/// Count, mean, spread and ends of one column; undefined values left out.
struct ColumnPass {
    uint64_t count = 0;
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    void add(float value) {
        if (!std::isfinite(value)) return;
        const auto v = static_cast<double>(value);
        ++count;
        sum += v;
        squares += v * v;
        least = std::min(least, v);
        most = std::max(most, v);
    }
    double mean() const { return sum / static_cast<double>(count); }
    double sd() const {
        return std::sqrt(std::max(0.0, squares / static_cast<double>(count) - mean() * mean()));
    }
};

/// Equal bins over what is within three standard deviations; the outer bins hold the rest, too.
class Histogram {
public:
    explicit Histogram(const ColumnPass& pass) {
        if (pass.count == 0) return;
        low_ = std::max(pass.least, pass.mean() - 3 * pass.sd());
        high_ = std::min(pass.most, pass.mean() + 3 * pass.sd());
    }
    void add(float value) {
        if (!std::isfinite(value)) return;
        const double at = high_ > low_ ? (static_cast<double>(value) - low_) / (high_ - low_) : 0;
        const double bin = std::clamp(at * kBins, 0.0, static_cast<double>(kBins - 1));
        ++counts_[static_cast<size_t>(bin)];
    }
    std::string svg() const {
        const uint64_t most = std::max<uint64_t>(1, *std::ranges::max_element(counts_));
        const double width = static_cast<double>(kWidthPx) / kBins;
        std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\">", kWidthPx, kHeightPx + 16);
        for (size_t k = 0; k < kBins; ++k) {
            const double height =
                kHeightPx * static_cast<double>(counts_[k]) / static_cast<double>(most);
            out +=
                fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                            static_cast<double>(k) * width, kHeightPx - height, width - 1, height);
        }
        return out + fmt::format(
                         "<text x=\"0\" y=\"{0}\">{1:.4g}</text><text x=\"{2}\" y=\"{0}\" "
                         "text-anchor=\"end\">{3:.4g}</text></svg>",
                         kHeightPx + 14, low_, kWidthPx, high_);
    }

private:
    double low_ = 0, high_ = 0;
    std::array<uint64_t, kBins> counts_{};
};

std::string row(const std::string& name, const std::string& value) {
    return "<tr><th>" + escaped_html(name) + "</th><td>" + value + "</td></tr>\n";
}

std::string key_numbers(const ExportSource& source) {
    const ResultHeader& h = source.header();
    const auto count = static_cast<double>(source.count());
    std::string out = "<table>\n" + row("Nuclei", fmt::format("{}", source.count())) +
                      row("Tissue", fmt::format("{:.2f} mm²", h.tissue_mm2));
    if (h.tissue_mm2 > 0)
        out += row("Density", fmt::format("{:.0f} per mm²", count / h.tissue_mm2));
    out += row("Slide", fmt::format("{} × {} px at {:.4f} µm", h.slide.levels.at(0).size.width,
                                    h.slide.levels.at(0).size.height, h.slide.mpp_x)) +
           row("Segmented at", fmt::format("{:.4f} µm per pixel", h.frame.mpp())) +
           row("Stain fit", h.stain_fitted ? "fitted on this slide"
                                           : "reference vectors: " + escaped_html(h.stain_reason)) +
           row("Blocks that could not be decoded", fmt::format("{}", h.failed_tiles.size())) +
           row("Program", escaped_html(h.program_version) + ", results version " +
                              escaped_html(h.results_version));
    return out + "</table>\n";
}

std::string class_table(const ExportSource& source, const std::array<uint64_t, 256>& counts) {
    std::string out = "<h2>Classes</h2>\n<table>\n";
    for (const NucleusClass& c : source.header().classes)
        out += "<tr><td><span class=\"swatch\" style=\"background:" + hex_colour(c) + "\"></span>" +
               escaped_html(c.name) + "</td><td>" + std::to_string(counts[c.id]) + "</td></tr>\n";
    return out + "</table>\n";
}

using FlagCounts = std::array<uint64_t, std::size(layout::kFlagColumns)>;

/// How many nuclei bear each flag.
std::string flag_table(const FlagCounts& counts) {
    std::string out = "<h2>Flags</h2>\n<table>\n";
    for (size_t k = 0; k < counts.size(); ++k)
        out += row(layout::kFlagColumns[k].name, std::to_string(counts[k]));
    return out + "</table>\n";
}

std::string measurement(const FeatureColumn& column, const ColumnPass& pass,
                        const Histogram& histogram) {
    std::string out = "<figure><figcaption><b>" + escaped_html(column.name) + "</b>, " +
                      escaped_html(column.unit) + "<br>" + escaped_html(column.description);
    if (pass.count == 0) return out + "<br>undefined for every nucleus</figcaption></figure>\n";
    return out +
           fmt::format("<br>mean {:.4g}, sd {:.4g}, from {:.4g} to {:.4g}</figcaption>",
                       pass.mean(), pass.sd(), pass.least, pass.most) +
           histogram.svg() + "</figure>\n";
}

}  // namespace

void export_html(const ExportSource& source, const std::string& path) {
    TextFile page(path);
    const FeatureSchema& schema = source.schema();
    Overview overview(source.header(), kPicturePx);
    std::array<uint64_t, 256> classes{};
    FlagCounts flags{};
    std::vector<ColumnPass> passes(schema.size());
    source.for_each_block([&](const ExportBlock& block) {
        for (size_t i = 0; i < block.rows.size(); ++i) {
            overview.add(block.rows.identity[i]);
            ++classes[block.rows.identity[i].class_id];
            for (size_t k = 0; k < flags.size(); ++k)
                flags[k] += (block.rows.identity[i].flags & layout::kFlagColumns[k].flag) != 0;
            for (size_t k = 0; k < schema.size(); ++k) passes[k].add(block.rows.row(i)[k]);
        }
    });
    std::vector<Histogram> histograms(passes.begin(), passes.end());
    source.for_each_block([&](const ExportBlock& block) {
        for (size_t i = 0; i < block.rows.size(); ++i)
            for (size_t k = 0; k < schema.size(); ++k) histograms[k].add(block.rows.row(i)[k]);
    });
    page.write(html_head(source.slide_name()));
    page.write(key_numbers(source));
    page.write(
        "<h2>Where the nuclei are</h2>\n<p>Painted from the tissue mask and the nuclei: white "
        "glass, pink tissue, the darker the more nuclei.</p>\n" +
        inline_picture(std::as_const(overview).image().view()) + "\n");
    page.write(class_table(source, classes));
    page.write(flag_table(flags));
    page.write("<h2>Measurements</h2>\n");
    for (size_t k = 0; k < schema.size(); ++k)
        page.write(measurement(schema[k], passes[k], histograms[k]));
    page.commit();
}

}  // namespace wsi
