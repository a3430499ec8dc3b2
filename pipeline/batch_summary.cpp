#include "pipeline/batch_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

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
        if (r.status != "failed" && r.status != "interrupted")
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

}  // namespace

void write_summaries(const std::string& folder, const std::vector<SlideResult>& results) {
    replace_file(std::filesystem::path(folder) / "summary.csv", csv(results));
    replace_file(std::filesystem::path(folder) / "summary.md", markdown(results));
}

}  // namespace wsi
