#include "stages/feature_patch.h"

namespace wsi::features {

namespace {

struct Statistic {
    const char* name;
    double Summary::*member;
    const char* unit;  // empty: that of the channel
    const char* text;
};
constexpr std::array<Statistic, 11> kStatistics{
    {{"mean", &Summary::mean, "", "mean"},
     {"sd", &Summary::sd, "", "standard deviation"},
     {"min", &Summary::min, "", "least value"},
     {"max", &Summary::max, "", "largest value"},
     {"median", &Summary::median, "", "median"},
     {"iqr", &Summary::iqr, "", "interquartile range"},
     {"mad", &Summary::mad, "", "median absolute deviation"},
     {"skewness", &Summary::skewness, "1", "skewness"},
     {"kurtosis", &Summary::kurtosis, "1", "excess kurtosis"},
     {"hist_entropy", &Summary::hist_entropy, "nat", "entropy of a histogram of ten bins"},
     {"hist_energy", &Summary::hist_energy, "1", "energy of a histogram of ten bins"}}};
constexpr size_t kBrief = 4;  // mean, sd, min, max

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

void gather(const std::vector<float>& plane, const std::vector<uint32_t>& indices,
            std::vector<float>& values) {
    values.resize(indices.size());
    for (size_t i = 0; i < indices.size(); ++i) values[i] = plane[indices[i]];
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

void compute_intensity(const Patch& patch, bool with_ring, Summariser& summarise,
                       std::vector<float>& values, float* out) {
    const auto write = [&out](const Summary& summary, size_t count) {
        for (size_t s = 0; s < count; ++s)
            *out++ = static_cast<float>(summary.*kStatistics[s].member);
    };
    for (const auto* part : {&patch.nucleus, &patch.ring}) {
        if (part == &patch.ring && !with_ring) continue;
        for (const auto& plane : patch.planes) {
            gather(plane, *part, values);
            write(summarise(values), kStatistics.size());
        }
    }
    for (const auto& plane : patch.planes) {
        gather(plane, patch.edge, values);
        write(brief_summary(values), kBrief);
    }
}

}  // namespace wsi::features
