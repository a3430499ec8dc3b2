#include "stages/feature_statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace wsi::features {

namespace {

constexpr size_t kLanes = 8, kBins = 10;
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
using Lanes = std::array<double, kLanes>;

double total(const Lanes& lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
           ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/// Calls add(lane, value) with value i in lane i mod 8: partial sums in a fixed order, which
/// vectorise.
template <class Add>
void for_each_lane(const std::vector<float>& values, Add&& add) {
    const size_t whole = values.size() / kLanes * kLanes;
    for (size_t i = 0; i < whole; i += kLanes)
        for (size_t lane = 0; lane < kLanes; ++lane)
            add(lane, static_cast<double>(values[i + lane]));
    for (size_t i = whole; i < values.size(); ++i) add(i - whole, static_cast<double>(values[i]));
}

/// Mean, sd, skewness and kurtosis.
void sum_moments(const std::vector<float>& values, Summary& s) {
    const auto n = static_cast<double>(values.size());
    Lanes sum{}, second{}, third{}, fourth{};
    for_each_lane(values, [&](size_t lane, double v) { sum[lane] += v; });
    s.mean = total(sum) / n;
    for_each_lane(values, [&, mean = s.mean](size_t lane, double v) {
        const double d = v - mean, dd = d * d;
        second[lane] += dd;
        third[lane] += dd * d;
        fourth[lane] += dd * dd;
    });
    const double m2 = total(second) / n;
    s.sd = std::sqrt(m2);
    s.skewness = total(third) / n / (m2 * s.sd);
    s.kurtosis = total(fourth) / n / (m2 * m2) - 3;
}

/// numpy.percentile's linear interpolation between ranks.
double quantile(const std::vector<float>& sorted, double q) {
    const double rank = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(rank);
    const auto a = static_cast<double>(sorted[below]),
               b = static_cast<double>(sorted[std::min(below + 1, sorted.size() - 1)]);
    return a + (b - a) * (rank - static_cast<double>(below));
}

/// The deviation of rank k from `centre`: of the sorted deviations on the left and on the right of
/// `split`, merged. A search for how many of the k + 1 least come from the left.
double deviation_of_rank(const std::vector<float>& sorted, double centre, size_t split, size_t k) {
    const size_t left_count = split, right_count = sorted.size() - split;
    const auto left = [&](size_t i) { return centre - static_cast<double>(sorted[split - 1 - i]); };
    const auto right = [&](size_t i) { return static_cast<double>(sorted[split + i]) - centre; };
    size_t low = k + 1 > right_count ? k + 1 - right_count : 0, high = std::min(k + 1, left_count);
    while (low < high) {
        const size_t i = (low + high) / 2;
        if (left(i) >= right(k - i))
            high = i;
        else
            low = i + 1;
    }
    double most = -std::numeric_limits<double>::infinity();
    if (low > 0) most = left(low - 1);
    if (k + 1 > low) most = std::max(most, right(k - low));
    return most;
}

double median_deviation(const std::vector<float>& sorted, double median) {
    const size_t n = sorted.size(), split = n / 2;
    return (deviation_of_rank(sorted, median, split, (n - 1) / 2) +
            deviation_of_rank(sorted, median, split, n / 2)) /
           2;
}

void fill_histogram(const std::vector<float>& sorted, Summary& s) {
    const auto n = static_cast<double>(sorted.size());
    const double width = (s.max - s.min) / kBins;
    s.hist_energy = s.hist_entropy = 0;
    auto begin = sorted.begin();
    for (size_t bin = 0; bin < kBins; ++bin) {
        const double edge = s.min + static_cast<double>(bin + 1) * width;
        const auto end = bin + 1 == kBins
                             ? sorted.end()
                             : std::partition_point(begin, sorted.end(), [edge](float v) {
                                   return static_cast<double>(v) < edge;
                               });
        if (const double p = static_cast<double>(end - begin) / n; p > 0) {
            s.hist_energy += p * p;
            s.hist_entropy -= p * std::log(p);
        }
        begin = end;
    }
}

constexpr uint32_t kSign = 0x80000000u;

/// The order of these keys is the order of the floats.
uint32_t key_of(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    return bits & kSign ? ~bits : bits | kSign;
}
float value_of(uint32_t key) { return std::bit_cast<float>(key & kSign ? key ^ kSign : ~key); }

}  // namespace

// Least significant byte first; a byte that all keys share needs no pass. Four times as fast as
// std::sort on a few hundred values.
Summary Summariser::operator()(std::vector<float>& values) {
    const size_t n = values.size();
    Summary s;
    if (n == 0) return brief_summary(values);
    keys_.resize(n);
    spare_.resize(n);
    std::array<std::array<uint32_t, 256>, 4> counts{};
    for (size_t i = 0; i < n; ++i) {
        const uint32_t key = keys_[i] = key_of(values[i]);
        for (size_t byte = 0; byte < 4; ++byte) ++counts[byte][key >> (8 * byte) & 255];
    }
    for (size_t byte = 0; byte < 4; ++byte) {
        auto& count = counts[byte];
        if (count[keys_[0] >> (8 * byte) & 255] == n) continue;
        uint32_t place = 0;
        for (uint32_t& c : count) c = std::exchange(place, place + c);
        for (const uint32_t key : keys_) spare_[count[key >> (8 * byte) & 255]++] = key;
        keys_.swap(spare_);
    }
    for (size_t i = 0; i < n; ++i) values[i] = value_of(keys_[i]);
    s.min = static_cast<double>(values.front());
    s.max = static_cast<double>(values.back());
    sum_moments(values, s);
    if (s.min == s.max) s.sd = 0, s.skewness = s.kurtosis = kUndefined;
    s.median = quantile(values, 0.5);
    s.iqr = quantile(values, 0.75) - quantile(values, 0.25);
    s.mad = median_deviation(values, s.median);
    fill_histogram(values, s);
    return s;
}

Summary brief_summary(const std::vector<float>& values) {
    Summary s;
    for (double* v : {&s.mean, &s.sd, &s.min, &s.max, &s.median, &s.iqr, &s.mad, &s.skewness,
                      &s.kurtosis, &s.hist_entropy, &s.hist_energy})
        *v = kUndefined;
    if (values.empty()) return s;
    const auto [least, most] = std::ranges::minmax(values);
    s.min = static_cast<double>(least);
    s.max = static_cast<double>(most);
    sum_moments(values, s);
    if (least == most) s.sd = 0;
    return s;
}

}  // namespace wsi::features
