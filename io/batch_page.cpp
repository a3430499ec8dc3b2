#include "io/batch_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "io/html.h"
#include "io/overview.h"

namespace wsi {

namespace {

constexpr int64_t kPicturePx = 160;
constexpr uint64_t kBlock = 16384;  // the rows of a chunk
constexpr const char* kArea = "shape_area_um2";
constexpr const char* kUnknown = "–";

std::string cell(const std::string& html) { return "<td>" + html + "</td>"; }

std::string density(uint64_t nuclei, double tissue_mm2) {
    if (!(tissue_mm2 > 0)) return kUnknown;
    return fmt::format("{:.0f}", static_cast<double>(nuclei) / tissue_mm2);
}

/// Quartiles of the area, as /summary has them.
std::string areas(const ResultReader& result) {
    const FeatureSchema& schema = result.header().schema;
    if (std::none_of(schema.begin(), schema.end(), [](const auto& c) { return c.name == kArea; }))
        return kUnknown;
    const ColumnSummary s = result.statistics(kArea);
    if (s.count == 0) return kUnknown;
    return fmt::format("{:.1f} / {:.1f} / {:.1f}", s.quartile1, s.median, s.quartile3);
}

std::string class_counts(const ResultHeader& header, const std::array<uint64_t, 256>& counts) {
    std::string out;
    for (const NucleusClass& c : header.classes)
        out += escaped_html(c.name) + " " + std::to_string(counts[c.id]) + "<br>";
    return out;
}

std::string notes(const ResultHeader& header) {
    std::string out;
    if (header.foreign) out += "nuclei found by another tool<br>";
    if (!header.stain_fitted)
        out += "reference stain vectors: " + escaped_html(header.stain_reason) + "<br>";
    if (header.slide.mpp_source != MppSource::Slide)
        out += std::string("resolution from ") + to_string(header.slide.mpp_source) + "<br>";
    if (!header.failed_tiles.empty())
        out += "first failure: " + escaped_html(header.failed_tiles.front().message) + "<br>";
    return out;
}

}  // namespace

BatchPage::BatchPage(const std::string& path, const std::string& title) : page_(path) {
    page_.write(html_head(title) +
                "<table>\n<tr><th></th><th>Slide</th><th>Nuclei</th><th>Tissue, mm²</th><th>Nuclei "
                "per mm²</th><th>Area, quartiles, µm²</th><th>Classes</th><th>Blocks that could "
                "not be decoded</th><th>Notes</th></tr>\n");
}

void BatchPage::add(const ResultReader& result, const std::string& name, const std::string& link,
                    const std::function<void(double fraction)>& progress) {
    const ResultHeader& header = result.header();
    Overview overview(header, kPicturePx);
    std::array<uint64_t, 256> counts{};
    for (uint64_t first = 0; first < result.count(); first += kBlock) {
        const NucleiBatch rows =
            result.rows(first, std::min(kBlock, result.count() - first), std::span<const size_t>());
        for (const NucleusIdentity& who : rows.identity) {
            overview.add(who);
            ++counts[who.class_id];
        }
        progress(static_cast<double>(first) / static_cast<double>(result.count()));
    }
    page_.write("<tr>" + cell(inline_picture(std::as_const(overview).image().view())) +
                cell("<a href=\"" + url_of_path(link) + "\">" + escaped_html(name) + "</a>") +
                cell(std::to_string(result.count())) +
                cell(fmt::format("{:.3f}", header.tissue_mm2)) +
                cell(density(result.count(), header.tissue_mm2)) + cell(areas(result)) +
                cell(class_counts(header, counts)) +
                cell(std::to_string(header.failed_tiles.size())) + cell(notes(header)) + "</tr>\n");
    ++slides_;
    nuclei_ += result.count();
    tissue_mm2_ += header.tissue_mm2;
}

void BatchPage::add_failure(const std::string& name, const std::string& message) {
    page_.write("<tr><td></td>" + cell(escaped_html(name)) + "<td colspan=\"7\"><b>" +
                escaped_html(message) + "</b></td></tr>\n");
    ++failures_;
}

void BatchPage::finish() {
    page_.write(
        fmt::format("<tr><th></th><th>Slides: {}</th><th>{}</th><th>{:.3f}</th><th>{}</th>"
                    "<th colspan=\"4\">{}</th></tr>\n</table>\n",
                    slides_, nuclei_, tissue_mm2_, density(nuclei_, tissue_mm2_),
                    failures_ == 0 ? "" : fmt::format("files not readable: {}", failures_)));
    page_.commit();
}

}  // namespace wsi
