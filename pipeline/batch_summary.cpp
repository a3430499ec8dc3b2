#include "pipeline/batch_summary.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/result_aggregates.h"
#include "io/slides_parquet.h"
#include "pipeline/finished_slide.h"

namespace wsi {

namespace {

double density_per_mm2(const SlideReport& report) {
    return report.tissue_mm2 > 0 ? static_cast<double>(report.nuclei) / report.tissue_mm2 : 0;
}

std::string replaced(std::string text, char from, char to) {
    std::replace(text.begin(), text.end(), from, to);
    return text;
}

std::string csv(const std::vector<SlideResult>& results) {
    std::string text =
        "slide,status,nuclei,tissue_mm2,density_per_mm2,failed_blocks,seconds,message\n";
    for (const SlideResult& r : results)
        text +=
            fmt::format("\"{}\",{},{},{:.4f},{:.1f},{},{:.1f},\"{}\"\n", r.slide.relative, r.status,
                        r.report.nuclei, r.report.tissue_mm2, density_per_mm2(r.report),
                        r.report.failed_blocks, r.report.seconds, replaced(r.message, '"', '\''));
    return text;
}

bool has_result(const SlideResult& r) { return r.status != "failed" && r.status != "interrupted"; }

std::string markdown(const std::vector<SlideResult>& results) {
    const auto whole = [](const SlideResult& r) {
        return r.status == "complete" || r.status == "already_complete";
    };
    const auto good = std::count_if(results.begin(), results.end(), whole);
    std::string text = fmt::format("# {} slides, {} without problems\n", results.size(), good);
    if (good < std::ssize(results)) text += "\n| problem | what |\n|---|---|\n";
    for (const SlideResult& r : results)
        if (!whole(r))
            text += fmt::format("| {} | {} |\n", r.slide.relative,
                                r.message.empty() ? fmt::format("{}, {} unreadable blocks",
                                                                r.status, r.report.failed_blocks)
                                                  : replaced(r.message, '|', '/'));
    text += "\n| slide | nuclei | tissue mm² | nuclei per mm² | seconds |\n|---|---|---|---|---|\n";
    for (const SlideResult& r : results)
        if (has_result(r))
            text += fmt::format("| {} | {} | {:.3f} | {:.0f} | {:.1f} |\n", r.slide.relative,
                                r.report.nuclei, r.report.tissue_mm2, density_per_mm2(r.report),
                                r.report.seconds);
    return text;
}

void replace_file(const std::filesystem::path& path, const std::string& text) {
    const std::string temporary = path.string() + ".tmp";
    {
        std::ofstream out(temporary);
        out << text;
        if (!out.flush()) fail(ErrorKind::Output, "cannot write ", path.string());
    }
    std::filesystem::rename(temporary, path);
}

/// None where the result was removed or damaged meanwhile: the batch's own outcome stands.
std::vector<SummaryValue> aggregates_of(const SlideResult& r) {
    try {
        if (r.kept.ends_with(".h5")) return read_aggregates(r.kept);
        if (auto record = read_finished(r.kept)) return std::move(record->aggregates);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Slide) throw;
        spdlog::warn("{}; its row of the table of slides has no statistics", error.what());
    }
    return {};
}

SlideRow row_of(const SlideResult& r) {
    SlideRow row{.slide = r.slide.relative,
                 .status = r.status,
                 .message = r.message,
                 .finished = has_result(r),
                 .nuclei = r.report.nuclei,
                 .failed_blocks = r.report.failed_blocks,
                 .tissue_mm2 = r.report.tissue_mm2,
                 .density_per_mm2 = density_per_mm2(r.report),
                 .seconds = r.report.seconds,
                 .aggregates = {}};
    if (!row.finished) return row;
    row.aggregates = aggregates_of(r);
    return row;
}

}  // namespace

void write_summaries(const std::string& folder, const std::string& tag,
                     const std::vector<SlideResult>& results) {
    const std::string name = (std::filesystem::path(folder) / ("summary" + tag)).string();
    replace_file(name + ".csv", csv(results));
    replace_file(name + ".md", markdown(results));
}

void write_slides_table(const std::string& folder, const std::string& tag,
                        const std::vector<SlideResult>& results) {
    const auto path = std::filesystem::path(folder) / ("slides" + tag + ".parquet");
    write_slides_parquet(path.string(), results.size(),
                         [&](size_t i) { return row_of(results[i]); });
}

}  // namespace wsi
