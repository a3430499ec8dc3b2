#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "io/text_file.h"
#include "pipeline/evaluate.h"
#include "stages/bootstrap.h"

namespace wsi {

namespace {

/// NaN left out; of an even number the mean of the two in the middle; NaN of none.
double median(std::vector<double> values) {
    std::erase_if(values, [](double v) { return std::isnan(v); });
    if (values.empty()) return std::nan("");
    std::sort(values.begin(), values.end());
    const size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Images that are summed up together, with their means and their pool.
struct Group {
    std::string scope, name, predictor;  ///< scope: "organ", "dataset" or "all"
    std::vector<const ImageScore*> images;
    MetricCounts pool;
    int64_t empty = 0;  ///< without true nuclei

    void add(const ImageScore& score) {
        images.push_back(&score);
        pool += score.counts;
        empty += score.counts.truth == 0;
    }
    std::vector<double> each(double Metrics::*value) const {
        std::vector<double> values;
        for (const ImageScore* image : images) values.push_back(image->values.*value);
        return values;
    }
    MeanInterval interval(double Metrics::*value, uint64_t seed) const {
        return bootstrap_mean(each(value), seed);
    }
    double middle(double Metrics::*value) const { return median(each(value)); }
};

/// All, then data sets, then organs; each per predictor, in order of appearance.
std::vector<Group> make_groups(const std::vector<ImageScore>& scores) {
    std::map<std::array<std::string, 3>, size_t> place;
    std::vector<Group> groups;
    for (const char* scope : {"all", "dataset", "organ"}) {
        for (const ImageScore& score : scores) {
            const std::string which = scope;
            const std::string name = which == "all"       ? ""
                                     : which == "dataset" ? score.entry.dataset
                                                          : score.entry.organ;
            if (which != "all" && name.empty()) continue;
            const auto [at, fresh] =
                place.try_emplace({which, name, score.predictor}, groups.size());
            if (fresh) groups.push_back({which, name, score.predictor, {}, {}, 0});
            groups[at->second].add(score);
        }
    }
    return groups;
}

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
}

template <class Value>
std::string metric_cells(Value&& value) {
    std::string cells;
    for (const MetricColumn& column : kMetricColumns) {
        const double v = value(column);
        cells += std::isnan(v) ? "," : fmt::format(",{:.6f}", v);
    }
    return cells + '\n';
}

std::string csv_header() {
    std::string line = "scope,statistic,predictor,dataset,organ,image,split,mpp,images,truth,found";
    for (const MetricColumn& column : kMetricColumns) line += "," + std::string(column.name);
    return line + '\n';
}

std::string image_row(const ImageScore& s) {
    return fmt::format("image,value,{},{},{},{},{},{},1,{},{}", quoted(s.predictor),
                       quoted(s.entry.dataset), quoted(s.entry.organ), quoted(s.entry.name),
                       quoted(s.entry.split), s.entry.mpp > 0 ? fmt::to_string(s.entry.mpp) : "",
                       s.counts.truth, s.counts.found) +
           metric_cells([&](const MetricColumn& column) { return s.values.*column.value; });
}

std::string group_rows(const Group& g, Compat compat, uint64_t seed) {
    const auto start = [&](const char* statistic) {
        return fmt::format("{},{},{},{},{},,,,{},{},{}", g.scope, statistic, quoted(g.predictor),
                           g.scope == "dataset" ? quoted(g.name) : "",
                           g.scope == "organ" ? quoted(g.name) : "", g.images.size(), g.pool.truth,
                           g.pool.found);
    };
    std::map<std::string_view, MeanInterval> intervals;
    for (const MetricColumn& column : kMetricColumns)
        intervals[column.name] = g.interval(column.value, seed);
    const auto row = [&](const char* statistic, double MeanInterval::*part) {
        return start(statistic) + metric_cells([&](const MetricColumn& column) {
                   return intervals.at(column.name).*part;
               });
    };
    const Metrics pooled = metrics(g.pool, compat);
    return row("mean", &MeanInterval::mean) + row("low", &MeanInterval::low) +
           row("high", &MeanInterval::high) + start("median") +
           metric_cells([&](const MetricColumn& column) { return g.middle(column.value); }) +
           start("pooled") +
           metric_cells([&](const MetricColumn& column) { return pooled.*column.value; });
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); }

std::string with_interval(const MeanInterval& m) {
    return m.values == 0 ? "-" : fmt::format("{:.3f} ({:.3f} to {:.3f})", m.mean, m.low, m.high);
}

/// Every metric of everything, per predictor.
std::string overall_table(const Group& g, Compat compat, uint64_t seed) {
    std::string out = fmt::format(
        "\n## {}\n\n{} images, {} of them without true nuclei; {} true nuclei, {} found.\n\n"
        "| metric | mean over images (95 % interval) | images | median | pooled |\n"
        "|---|---|---|---|---|\n",
        g.predictor, g.images.size(), g.empty, g.pool.truth, g.pool.found);
    const Metrics pooled = metrics(g.pool, compat);
    for (const MetricColumn& column : kMetricColumns) {
        const MeanInterval m = g.interval(column.value, seed);
        out += fmt::format("| {} | {} | {} | {} | {} |\n", column.name, with_interval(m), m.values,
                           number(g.middle(column.value)), number(pooled.*column.value));
    }
    return out;
}

std::string breakdown_table(const std::vector<Group>& groups, const std::string& scope,
                            uint64_t seed) {
    std::string out;
    for (const Group& g : groups) {
        if (g.scope != scope) continue;
        if (out.empty())
            out = fmt::format(
                "\n## By {}\n\n| {} | predictor | images | true | found | dice_fg | "
                "pq | aji | detection_f1 |\n|---|---|---|---|---|---|---|---|---|\n",
                scope, scope);
        out += fmt::format("| {} | {} | {} | {} | {} |", g.name, g.predictor, g.images.size(),
                           g.pool.truth, g.pool.found);
        for (const auto value :
             {&Metrics::dice_fg, &Metrics::pq, &Metrics::aji, &Metrics::detection_f1})
            out += " " + with_interval(g.interval(value, seed)) + " |";
        out += '\n';
    }
    return out;
}

}  // namespace

void write_evaluation(const std::string& path, const std::vector<ImageScore>& scores, Compat compat,
                      uint64_t seed, const std::string& more_tables) {
    const std::vector<Group> groups = make_groups(scores);
    TextFile csv(path);
    csv.write(csv_header());
    for (const ImageScore& score : scores) csv.write(image_row(score));
    for (const Group& group : groups) csv.write(group_rows(group, compat, seed));
    csv.commit();
    TextFile tables(std::filesystem::path(path).replace_extension(".md").string());
    static constexpr const char* kNames[] = {"ours", "hovernet", "conic", "paper"};
    tables.write(
        fmt::format("# Evaluation\n\nConventions: {}. Intervals: percentile bootstrap over "
                    "images, 2,000 draws, seed {}.\n",
                    kNames[static_cast<size_t>(compat)], seed));
    for (const Group& group : groups)
        if (group.scope == "all") tables.write(overall_table(group, compat, seed));
    for (const char* scope : {"dataset", "organ"})
        tables.write(breakdown_table(groups, scope, seed));
    tables.write(more_tables);
    tables.commit();
}

}  // namespace wsi
