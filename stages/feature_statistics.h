#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsi::features {

/// Of n values; every one NaN when n = 0, skewness and kurtosis also when all values are equal
/// (energy and entropy are then 1 and 0).
struct Summary {
    double mean = 0, sd = 0;  ///< population: over n
    double min = 0, max = 0, sum = 0, range = 0;
    double quartile1 = 0, median = 0, quartile3 = 0;  ///< linear interpolation, numpy.percentile
    double iqr = 0, mean_median_diff = 0;
    double mad = 0;                     ///< median absolute deviation from the median, not scaled
    double skewness = 0, kurtosis = 0;  ///< m3 / m2^1.5; m4 / m2² − 3
    double hist_entropy = 0;            ///< −Σ p ln p over ten equal bins from min to max
    double hist_energy = 0;             ///< Σ p² over the same bins
};

/// Sorts and sums; keeps its memory. One per thread.
class Summariser {
public:
    /// values: n finite numbers, sorted in place.
    Summary operator()(std::vector<float>& values);
    /// levels: n whole numbers, stay as they are.
    Summary operator()(const std::vector<uint8_t>& levels);
    /// Mean, sd, min, max and sum only.
    Summary brief(const std::vector<uint8_t>& levels);

private:
    void sort(std::vector<float>& values, float least, float most);
    Summary sum_levels(const std::vector<uint8_t>& levels);
    std::vector<uint32_t> keys_, spare_;
    std::vector<float> sorted_;
    std::array<uint32_t, 256> counts_{};  // of the levels summarised last
};

/// Mean, sd, min, max and sum only; values stay as they are.
Summary brief_summary(const std::vector<float>& values);

/// All but median, quartiles, iqr and mad, for which values would have to be sorted; they stay as
/// they are.
Summary unordered_summary(const std::vector<float>& values);

}  // namespace wsi::features
