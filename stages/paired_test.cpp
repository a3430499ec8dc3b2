#include "stages/paired_test.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace wsi {

namespace {

struct Ranks {
    double positive = 0;  ///< sum of the ranks of positive differences
    double ties = 0;      ///< sum of t^3 - t over groups of equal sizes
};

Ranks ranks_of(std::vector<double> differences) {
    std::sort(differences.begin(), differences.end(),
              [](double a, double b) { return std::abs(a) < std::abs(b); });
    Ranks ranks;
    for (size_t i = 0; i < differences.size();) {
        size_t end = i;
        while (end < differences.size() && std::abs(differences[end]) == std::abs(differences[i]))
            ++end;
        const auto t = static_cast<double>(end - i);
        const double shared = static_cast<double>(i + 1 + end) / 2;  // mean of ranks i + 1 … end
        for (size_t k = i; k < end; ++k) ranks.positive += differences[k] > 0 ? shared : 0;
        ranks.ties += t * t * t - t;
        i = end;
    }
    return ranks;
}

/// P(sum of ranks <= w) when every sign is equally likely: counts of subsets of 1 … n by their sum.
double exact_tail(int64_t n, double w) {
    std::vector<double> ways(static_cast<size_t>(n * (n + 1) / 2 + 1), 0);
    ways[0] = 1;
    for (int64_t rank = 1; rank <= n; ++rank)
        for (size_t sum = ways.size(); sum-- > static_cast<size_t>(rank);)
            ways[sum] += ways[sum - static_cast<size_t>(rank)];
    double tail = 0;
    for (size_t sum = 0; sum < ways.size() && static_cast<double>(sum) <= w; ++sum)
        tail += ways[sum];
    return tail / std::exp2(static_cast<double>(n));
}

}  // namespace

SignedRank signed_rank_test(std::span<const double> differences) {
    constexpr int64_t kMostExact = 25;
    SignedRank result;
    std::vector<double> changed;
    for (const double d : differences) {
        result.mean += d / static_cast<double>(differences.size());
        if (d != 0) changed.push_back(d);
    }
    result.pairs = std::ssize(changed);
    if (changed.empty()) return result;
    const auto n = static_cast<double>(result.pairs);
    const Ranks ranks = ranks_of(std::move(changed));
    const double less = std::min(ranks.positive, n * (n + 1) / 2 - ranks.positive);
    if (result.pairs <= kMostExact && ranks.ties == 0) {
        result.p = std::min(1.0, 2 * exact_tail(result.pairs, less));
        return result;
    }
    const double variance = n * (n + 1) * (2 * n + 1) / 24 - ranks.ties / 48;
    const double z = (less - n * (n + 1) / 4) / std::sqrt(variance);
    result.p = std::min(1.0, std::erfc(std::abs(z) / std::sqrt(2.0)));
    return result;
}

}  // namespace wsi
