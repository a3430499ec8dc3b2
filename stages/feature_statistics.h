#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsi::features {

/// Of n values; every one NaN when n = 0, the last four also when all values are equal (energy and
/// entropy are then 1 and 0).
struct Summary {
    double mean = 0, sd = 0;  ///< population: over n
    double min = 0, max = 0, median = 0;
    double iqr = 0;                     ///< quartiles by linear interpolation, as numpy.percentile
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
    /// Mean, sd, min and max only.
    Summary brief(const std::vector<uint8_t>& levels);

private:
    void sort(std::vector<float>& values, float least, float most);
    Summary sum_levels(const std::vector<uint8_t>& levels);
    std::vector<uint32_t> keys_, spare_;
    std::vector<float> sorted_;
    std::array<uint32_t, 256> counts_{};  // of the levels summarised last
};

/// Mean, sd, min and max only; values stay as they are.
Summary brief_summary(const std::vector<float>& values);

/// All but median, iqr and mad, for which values would have to be sorted; they stay as they are.
Summary unordered_summary(const std::vector<float>& values);

}  // namespace wsi::features
