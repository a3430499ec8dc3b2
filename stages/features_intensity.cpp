#include "stages/feature_patch.h"

namespace wsi::features {

namespace {

struct Statistic {
    const char* name;
    double Summary::*member;
    const char* unit;  // empty: that of the channel
    const char* text;
};
constexpr std::array<Statistic, 16> kStatistics{
    {{"mean", &Summary::mean, "", "mean"},
     {"sd", &Summary::sd, "", "standard deviation"},
     {"min", &Summary::min, "", "least value"},
     {"max", &Summary::max, "", "largest value"},
     {"sum", &Summary::sum, "", "sum"},
     {"range", &Summary::range, "", "largest less least value"},
     {"median", &Summary::median, "", "median"},
     {"mean_median_diff", &Summary::mean_median_diff, "", "mean less median"},
     {"quartile1", &Summary::quartile1, "", "lower quartile"},
     {"quartile3", &Summary::quartile3, "", "upper quartile"},
     {"iqr", &Summary::iqr, "", "interquartile range"},
     {"mad", &Summary::mad, "", "median absolute deviation"},
     {"skewness", &Summary::skewness, "1", "skewness"},
     {"kurtosis", &Summary::kurtosis, "1", "excess kurtosis"},
     {"hist_entropy", &Summary::hist_entropy, "nat", "entropy of a histogram of ten bins"},
     {"hist_energy", &Summary::hist_energy, "1", "energy of a histogram of ten bins"}}};
constexpr size_t kBrief = 5;  // mean, sd, min, max, sum

void add_columns(const char* part, const char* place, size_t count, FeatureSchema& all) {
    for (size_t c = 0; c < kChannels; ++c)
        for (size_t s = 0; s < count; ++s) {
            const Statistic& statistic = kStatistics[s];
            const std::string own = statistic.unit;
            all.push_back({std::string(part) + "_" + kChannelNames[c] + "_" + statistic.name,
                           !own.empty() ? own
                           : c < kRed   ? "od"
                                        : "grey level",
                           std::string(statistic.text) + " of " + kChannelNames[c] + place});
        }
}

}  // namespace

const FeatureSchema& intensity_columns(bool with_ring) {
    const auto make = [](bool ring) {
        FeatureSchema all;
        add_columns("nucleus", " in the nucleus", kStatistics.size(), all);
        if (ring) add_columns("ring", " in the ring", kStatistics.size(), all);
        add_columns("edge", " in the nucleus's border pixels", kBrief, all);
        return all;
    };
    static const FeatureSchema with = make(true), without = make(false);
    return with_ring ? with : without;
}

void compute_intensity(Patch& patch, bool with_ring, Summariser& summarise, float* out) {
    const auto write = [&out](const Summary& summary, size_t count) {
        for (size_t s = 0; s < count; ++s)
            *out++ = static_cast<float>(summary.*kStatistics[s].member);
    };
    for (Samples* part : {&patch.in_nucleus, &patch.in_ring}) {
        if (part == &patch.in_ring && !with_ring) continue;
        for (auto& values : part->stains) write(summarise(values), kStatistics.size());
        for (const auto& levels : part->levels) write(summarise(levels), kStatistics.size());
    }
    for (const auto& values : patch.in_edge.stains) write(brief_summary(values), kBrief);
    for (const auto& levels : patch.in_edge.levels) write(summarise.brief(levels), kBrief);
}

}  // namespace wsi::features
