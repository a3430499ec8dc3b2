#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "io/text_file.h"
#include "pipeline/commands.h"
#include "pipeline/compare_report.h"
#include "pipeline/runtime.h"

namespace wsi {

namespace {

enum class ReportKind { Layer, Csv, Markdown };

ReportKind kind_of(const std::string& path) {
    for (const auto& [suffix, kind] : {std::pair{".geojson", ReportKind::Layer},
                                       {".geojson.gz", ReportKind::Layer},
                                       {".csv", ReportKind::Csv},
                                       {".md", ReportKind::Markdown}})
        if (path.ends_with(suffix)) return kind;
    fail(ErrorKind::Config, path,
         ": a comparison is written as .geojson, .geojson.gz, .csv or .md");
}

void write_text(const std::string& path, const std::string& text) {
    TextFile file(path);
    file.write(text);
    file.commit();
}

}  // namespace

int compare_command(const CompareOptions& what, const CommonOptions& options) {
    for (const std::string& output : what.outputs) kind_of(output);
    const Runtime runtime(available_cores());
    const ResultReader a(what.a), b(what.b);
    RunStatus status;
    status.enter("compare");
    const Comparison comparison = [&] {
        const Progress progress("compare", status, progress_mode(options));
        return compare_results(a, b, [&](double part) { status.phase_fraction = part; });
    }();
    const auto markdown = [&] { return comparison_markdown(comparison, what.a, what.b); };
    if (what.outputs.empty()) fmt::print("{}", markdown());
    for (const std::string& output : what.outputs) {
        switch (kind_of(output)) {
            case ReportKind::Csv: write_text(output, comparison_csv(comparison)); break;
            case ReportKind::Markdown: write_text(output, markdown()); break;
            case ReportKind::Layer:
                write_difference_layer(output, a, b, comparison,
                                       options.frame == "level0" ? Frame::Level0 : Frame::Qupath);
                break;
        }
        spdlog::info("{} written", output);
    }
    spdlog::info("PQ {:.4f}, F1 {:.4f}: {} of {} and {} nuclei match", comparison.pq, comparison.dq,
                 comparison.pairs.size(), comparison.count_a, comparison.count_b);
    return 0;
}

}  // namespace wsi
