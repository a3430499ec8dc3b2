#include "stages/feature_statistics.h"

#include <algorithm>
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
    s.sum = total(sum);
    s.mean = s.sum / n;
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

/// What follows from quantiles, the mean and the ends.
template <class Quantile>
void set_quantiles(const Quantile& quantile, Summary& s) {
    s.range = s.max - s.min;
    s.quartile1 = quantile(0.25);
    s.median = quantile(0.5);
    s.quartile3 = quantile(0.75);
    s.iqr = s.quartile3 - s.quartile1;
    s.mean_median_diff = s.mean - s.median;
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

/// c ln c of a count, 0 at 0.
double count_log(size_t c) {
    static const auto table = [] {
        std::array<double, 4096> t{};
        for (size_t k = 1; k < t.size(); ++k)
            t[k] = static_cast<double>(k) * std::log(static_cast<double>(k));
        return t;
    }();
    return c < table.size() ? table[c] : static_cast<double>(c) * std::log(static_cast<double>(c));
}

/// Ten equal bins from the least to the greatest of n values, filled from the least on.
class TenBins {
public:
    TenBins(size_t n, double least, double most)
        : n_(static_cast<double>(n)), least_(least), width_((most - least) / kBins) {}
    /// The end of a bin that is not the last; values below it belong to the bin or to earlier ones.
    double end(size_t bin) const { return least_ + static_cast<double>(bin + 1) * width_; }
    void add(size_t count) {
        energy_ += static_cast<double>(count) * static_cast<double>(count);
        logs_ += count_log(count);
    }
    void write(Summary& s) const {
        s.hist_energy = energy_ / (n_ * n_);
        s.hist_entropy = std::max(0.0, std::log(n_) - logs_ / n_);
    }

private:
    double n_, least_, width_, energy_ = 0, logs_ = 0;
};

void fill_histogram(const std::vector<float>& sorted, Summary& s) {
    TenBins bins(sorted.size(), s.min, s.max);
    auto begin = sorted.begin();
    for (size_t bin = 0; bin < kBins; ++bin) {
        const auto end = bin + 1 == kBins ? sorted.end()
                                          : std::partition_point(begin, sorted.end(), [&](float v) {
                                                return static_cast<double>(v) < bins.end(bin);
                                            });
        bins.add(static_cast<size_t>(end - begin));
        begin = end;
    }
    bins.write(s);
}

/// What all values alike leave without a value.
void undefine_shape(Summary& s) {
    s.sd = 0;
    s.skewness = s.kurtosis = kUndefined;
}

Summary nothing() {
    Summary s;
    for (double* v : {&s.mean, &s.sd, &s.min, &s.max, &s.sum, &s.range, &s.quartile1, &s.median,
                      &s.quartile3, &s.iqr, &s.mean_median_diff, &s.mad, &s.skewness, &s.kurtosis,
                      &s.hist_entropy, &s.hist_energy})
        *v = kUndefined;
    return s;
}

std::array<float, 2> least_and_most(const std::vector<float>& values) {
    std::array<float, kLanes> low, high;
    low.fill(values[0]);
    high.fill(values[0]);
    const size_t whole = values.size() / kLanes * kLanes;
    for (size_t i = 0; i < whole; i += kLanes)
        for (size_t lane = 0; lane < kLanes; ++lane) {
            low[lane] = std::min(low[lane], values[i + lane]);
            high[lane] = std::max(high[lane], values[i + lane]);
        }
    for (size_t i = whole; i < values.size(); ++i) {
        low[0] = std::min(low[0], values[i]);
        high[0] = std::max(high[0], values[i]);
    }
    return {*std::ranges::min_element(low), *std::ranges::max_element(high)};
}

/// The values with the n counts of grey levels below 256 that lie at given ranks, found in one walk
/// upwards; ranks rise.
template <size_t N>
std::array<double, N> levels_of_ranks(const std::array<uint32_t, 256>& counts, size_t least,
                                      const std::array<size_t, N>& ranks) {
    std::array<double, N> out;
    size_t level = least, below = counts[least];
    for (size_t i = 0; i < N; ++i) {
        while (below <= ranks[i]) below += counts[++level];
        out[i] = static_cast<double>(level);
    }
    return out;
}

/// Median deviation from the median, walking outwards from it on both sides.
double median_deviation(const std::array<uint32_t, 256>& counts, size_t n, size_t least,
                        size_t most, double median) {
    const auto twice = static_cast<int>(2 * median);
    int left = twice / 2, right = left + 1;
    const auto first = static_cast<int>(least), last = static_cast<int>(most);
    size_t passed = 0;
    const std::array<size_t, 2> ranks{(n - 1) / 2, n / 2};
    std::array<int, 2> found{};  // doubled deviations
    for (size_t i = 0; i < 2;) {
        const bool take_left =
            right > last || (left >= first && twice - 2 * left <= 2 * right - twice);
        const int deviation = take_left ? twice - 2 * left : 2 * right - twice;
        passed += counts[static_cast<size_t>(take_left ? left-- : right++)];
        while (i < 2 && passed > ranks[i]) found[i++] = deviation;
    }
    return static_cast<double>(found[0] + found[1]) / 4;
}

void fill_histogram(const std::array<uint32_t, 256>& counts, size_t n, Summary& s) {
    TenBins bins(n, s.min, s.max);
    auto level = static_cast<size_t>(s.min);
    const auto most = static_cast<size_t>(s.max);
    for (size_t bin = 0; bin < kBins; ++bin) {
        size_t count = 0;
        for (; level <= most && (bin + 1 == kBins || static_cast<double>(level) < bins.end(bin));
             ++level)
            count += counts[level];
        bins.add(count);
    }
    bins.write(s);
}

}  // namespace

// Ranks of 16 bits between the least and the greatest value, sorted byte by byte together with
// where each value stands, bring nearly all into place; the last walk mends those that share a
// rank. Five times as fast as std::sort on a few hundred values.
void Summariser::sort(std::vector<float>& values, float least, float most) {
    const size_t n = values.size();
    const float scale = 65535.0f / (most - least);
    if (n < 32 || n > 65536 || !std::isfinite(scale)) {
        std::ranges::sort(values);
        return;
    }
    keys_.resize(n);
    spare_.resize(n);
    sorted_.resize(n);
    for (size_t i = 0; i < n; ++i)
        keys_[i] = static_cast<uint32_t>(static_cast<int32_t>((values[i] - least) * scale)) << 16 |
                   static_cast<uint32_t>(i);
    std::array<std::array<uint32_t, 256>, 2> counts{};
    for (size_t i = 0; i < n; ++i) {
        ++counts[0][keys_[i] >> 16 & 255];
        ++counts[1][keys_[i] >> 24];
    }
    for (auto& count : counts) {
        uint32_t place = 0;
        for (uint32_t& c : count) c = std::exchange(place, place + c);
    }
    for (const uint32_t key : keys_) spare_[counts[0][key >> 16 & 255]++] = key;
    for (const uint32_t key : spare_) sorted_[counts[1][key >> 24]++] = values[key & 65535];
    size_t moves = 0;
    for (size_t i = 1; i < n; ++i) {
        const float v = sorted_[i];
        size_t to = i;
        for (; to > 0 && sorted_[to - 1] > v; --to, ++moves) sorted_[to] = sorted_[to - 1];
        sorted_[to] = v;
        if (moves > 16 * n) {  // an outlier left them all one rank
            std::ranges::sort(values);
            return;
        }
    }
    values.swap(sorted_);
}

Summary Summariser::operator()(std::vector<float>& values) {
    if (values.empty()) return nothing();
    const auto [least, most] = least_and_most(values);
    if (least != most) sort(values, least, most);
    Summary s;
    s.min = static_cast<double>(least);
    s.max = static_cast<double>(most);
    sum_moments(values, s);
    if (s.min == s.max) undefine_shape(s);
    set_quantiles([&values](double q) { return quantile(values, q); }, s);
    s.mad = median_deviation(values, s.median);
    fill_histogram(values, s);
    return s;
}

/// Counts the levels, n > 0, and sums exact integers about a whole number near their mean.
Summary Summariser::sum_levels(const std::vector<uint8_t>& levels) {
    counts_.fill(0);
    int64_t sum = 0;
    uint8_t low = 255, high = 0;
    for (const uint8_t level : levels) {
        sum += level;
        low = std::min(low, level);
        high = std::max(high, level);
    }
    for (const uint8_t level : levels) ++counts_[level];
    const auto n = static_cast<double>(levels.size());
    Summary s;
    s.sum = static_cast<double>(sum);
    s.mean = s.sum / n;
    s.min = low;
    s.max = high;
    const auto middle = static_cast<int64_t>(std::lround(s.mean));
    std::array<int64_t, 5> t{};
    for (int64_t level = low; level <= high; ++level) {
        const int64_t d = level - middle;
        int64_t term = counts_[static_cast<size_t>(level)];
        for (size_t k = 1; k < 5; ++k) t[k] += term *= d;
    }
    const auto m = [&](size_t k) { return static_cast<double>(t[k]) / n; };
    const double a = m(1), m2 = m(2) - a * a, m3 = m(3) - 3 * a * m(2) + 2 * a * a * a,
                 m4 = m(4) - 4 * a * m(3) + 6 * a * a * m(2) - 3 * a * a * a * a;
    s.sd = std::sqrt(m2);
    s.skewness = m3 / (m2 * s.sd);
    s.kurtosis = m4 / (m2 * m2) - 3;
    if (low == high) undefine_shape(s);
    return s;
}

Summary Summariser::operator()(const std::vector<uint8_t>& levels) {
    if (levels.empty()) return nothing();
    Summary s = sum_levels(levels);
    const size_t n = levels.size(), last = n - 1;
    const auto least = static_cast<size_t>(s.min), most = static_cast<size_t>(s.max);
    constexpr std::array<double, 3> kFractions{0.25, 0.5, 0.75};
    std::array<size_t, 6> ranks;
    for (size_t i = 0; i < 3; ++i) {
        ranks[2 * i] = static_cast<size_t>(kFractions[i] * static_cast<double>(last));
        ranks[2 * i + 1] = std::min(ranks[2 * i] + 1, last);
    }
    std::sort(ranks.begin() + 1, ranks.end() - 1);  // of few values those of two quantiles overlap
    const auto found = levels_of_ranks(counts_, least, ranks);
    const auto quantile = [&](double fraction) {
        const double rank = fraction * static_cast<double>(last);
        const auto below = static_cast<size_t>(rank);
        const auto at = [&](size_t r) {
            return found[static_cast<size_t>(std::ranges::find(ranks, r) - ranks.begin())];
        };
        const double a = at(below), b = at(std::min(below + 1, last));
        return a + (b - a) * (rank - static_cast<double>(below));
    };
    set_quantiles(quantile, s);
    s.mad = median_deviation(counts_, n, least, most, s.median);
    fill_histogram(counts_, n, s);
    return s;
}

Summary Summariser::brief(const std::vector<uint8_t>& levels) {
    return levels.empty() ? nothing() : sum_levels(levels);
}

// A value's bin is the number of ends that it reaches.
Summary unordered_summary(const std::vector<float>& values) {
    if (values.empty()) return nothing();
    Summary s = brief_summary(values);
    if (s.min == s.max) undefine_shape(s);
    TenBins bins(values.size(), s.min, s.max);
    std::array<size_t, kBins> reached{};
    reached[0] = values.size();
    for (size_t bin = 1; bin < kBins; ++bin)
        for (const float v : values) reached[bin] += static_cast<double>(v) >= bins.end(bin - 1);
    for (size_t bin = 0; bin + 1 < kBins; ++bin) bins.add(reached[bin] - reached[bin + 1]);
    bins.add(reached[kBins - 1]);
    bins.write(s);
    return s;
}

Summary brief_summary(const std::vector<float>& values) {
    if (values.empty()) return nothing();
    const auto [least, most] = least_and_most(values);
    Summary s;
    s.min = static_cast<double>(least);
    s.max = static_cast<double>(most);
    sum_moments(values, s);
    if (least == most) s.sd = 0;
    return s;
}

}  // namespace wsi::features
