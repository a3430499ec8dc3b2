#include "stages/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace wsi {

namespace {

/// Linear between the order statistics, as numpy's default.
double percentile(const std::vector<double>& sorted, double fraction) {
    const double place = fraction * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

MeanInterval bootstrap_mean(std::span<const double> values, uint64_t seed, int draws) {
    std::vector<double> kept;
    std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
                 [](double v) { return !std::isnan(v); });
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    if (kept.empty()) return {kNone, kNone, kNone, 0};
    const auto count = static_cast<double>(kept.size());
    double sum = 0;
    for (const double v : kept) sum += v;
    std::mt19937_64 random(
        seed);  // its output, unlike that of distributions, is fixed by the standard
    std::vector<double> means(static_cast<size_t>(draws));
    for (double& mean : means) {
        double drawn = 0;
        for (size_t i = 0; i < kept.size(); ++i) drawn += kept[random() % kept.size()];
        mean = drawn / count;
    }
    std::sort(means.begin(), means.end());
    return {sum / count, percentile(means, 0.025), percentile(means, 0.975), std::ssize(kept)};
}

}  // namespace wsi
