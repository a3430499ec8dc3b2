#pragma once

#include <cstdint>
#include <span>

namespace wsi {

/// Mean and its 95 % confidence interval.
struct MeanInterval {
    double mean = 0, low = 0, high = 0;  ///< NaN without any value
    int64_t values = 0;                  ///< that are not NaN
};

/// Percentile bootstrap over the values (NaN left out): the mean of as many draws with replacement,
/// `draws` times; low and high are its 2.5th and 97.5th percentile. Same seed, same result, on
/// every machine.
MeanInterval bootstrap_mean(std::span<const double> values, uint64_t seed, int draws = 2000);

}  // namespace wsi
