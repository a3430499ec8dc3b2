#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "io/text_file.h"
#include "pipeline/experiments_statistics.h"
#include "stages/paired_test.h"

namespace wsi {

namespace {

/// What a table shows of an image's scores (docs/evaluation.md).
constexpr const char* kShown[] = {"dice_fg", "dice_w", "miou_w", "pq", "aji"};

/// Each image's score, the mean over the runs that both rows have and that show it.
std::map<std::string, double> image_means(const ExperimentResult& row,
                                          const ExperimentResult& other,
                                          const std::string& metric) {
    std::map<std::string, std::vector<double>> values;
    for (const auto& [run, images] : row.runs) {
        if (!other.runs.contains(run)) continue;
        for (const auto& [image, scores] : images)
            if (!std::isnan(scores.at(metric))) values[image].push_back(scores.at(metric));
    }
    std::map<std::string, double> means;
    for (const auto& [image, all] : values) means[image] = mean_sd(all).mean;
    return means;
}

SignedRank against(const ExperimentResult& row, const ExperimentResult& reference,
                   const std::string& metric) {
    const auto a = image_means(row, reference, metric), b = image_means(reference, row, metric);
    std::vector<double> differences;
    for (const auto& [image, value] : a)
        if (b.contains(image)) differences.push_back(value - b.at(image));
    return signed_rank_test(differences);
}

const ExperimentResult& reference_of(const ExperimentJob& job,
                                     const std::vector<ExperimentResult>& results) {
    for (const ExperimentResult& row : results)
        if (row.name == job.table.reference) return row;
    return results.front();
}

std::string cell(const MeanSd& m) {
    if (m.n == 0) return "-";
    return m.n == 1 ? fmt::format("{:.4f}", m.mean) : fmt::format("{:.4f} ± {:.4f}", m.mean, m.sd);
}

std::string row_line(const ExperimentResult& row, const ExperimentResult& reference) {
    if (!row.problem.empty())
        return fmt::format("| {} | | not run | | | | | | {} |\n", row.name, row.problem);
    std::string line = fmt::format("| {} | {:.3f} M | {} |", row.name,
                                   static_cast<double>(row.parameters) / 1e6, row.runs.size());
    for (const char* metric : kShown) line += " " + cell(mean_sd(run_means(row, metric))) + " |";
    if (&row == &reference || row.runs.empty() || reference.runs.empty()) return line + " |\n";
    const SignedRank test = against(row, reference, kShown[0]);
    return line +
           fmt::format(" {:+.4f}, p = {:.3g} ({} images) |\n", test.mean, test.p, test.pairs);
}

void write_csv(const std::string& path, const std::vector<ExperimentResult>& results,
               const ExperimentResult& reference) {
    TextFile csv(path);
    csv.write("row,parameters,metric,runs,mean,sd,difference,p,pairs,problem\n");
    const auto number = [](double v) { return std::isnan(v) ? "" : fmt::format("{:.6g}", v); };
    for (const ExperimentResult& row : results) {
        std::string problem = row.problem;
        for (char& c : problem) c = c == '"' || c == '\n' ? '\'' : c;
        for (const char* metric : kShown) {
            const MeanSd m = mean_sd(run_means(row, metric));
            SignedRank test;
            const bool tested = &row != &reference && m.n > 0 && !reference.runs.empty();
            if (tested) test = against(row, reference, metric);
            csv.write(fmt::format("\"{}\",{},{},{},{},{},{},{},{},\"{}\"\n", row.name,
                                  row.parameters, metric, m.n, number(m.mean), number(m.sd),
                                  tested ? number(test.mean) : "", tested ? number(test.p) : "",
                                  tested ? std::to_string(test.pairs) : "", problem));
        }
    }
    csv.commit();
}

}  // namespace

void write_experiment_table(const ExperimentJob& job,
                            const std::vector<ExperimentResult>& results) {
    const ExperimentResult& reference = reference_of(job, results);
    const auto file = [&](const char* name) {
        return (std::filesystem::path(job.output) / name).string();
    };
    write_csv(file("table.csv"), results, reference);
    TextFile tables(file("table.md"));
    tables.write(fmt::format(
        "# {}\n\nMean ± standard deviation over runs (seed and fold) of the mean over the images "
        "of "
        "the fold, at the training resolution; weights of the last epoch. `dice_w` and `miou_w` "
        "weigh classes by their pixels, background included, as the paper does; `dice_fg` is of "
        "nuclei. Last column: mean difference of `dice_fg` to {} per image (each the mean over "
        "seeds), Wilcoxon's signed-rank test, two-sided.\n\n"
        "| row | parameters | runs | dice_fg | dice_w | miou_w | pq | aji | against {} |\n"
        "|---|---|---|---|---|---|---|---|---|\n",
        job.table.title, reference.name, reference.name));
    for (const ExperimentResult& row : results) tables.write(row_line(row, reference));
    tables.commit();
}

}  // namespace wsi
