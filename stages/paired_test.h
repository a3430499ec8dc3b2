#pragma once

#include <cstdint>
#include <span>

namespace wsi {

/// Wilcoxon's signed-rank test of paired differences: could they be symmetric about 0?
struct SignedRank {
    double p = 1;       ///< two-sided
    int64_t pairs = 0;  ///< with a difference other than 0
    double mean = 0;    ///< of all differences
};

/// Differences of 0 are left out, equal sizes share their mean rank (Wilcoxon 1945). Exact
/// distribution for up to 25 pairs without equal sizes, else the normal approximation with the
/// correction for ties and without one for continuity. Without pairs p = 1.
SignedRank signed_rank_test(std::span<const double> differences);

}  // namespace wsi
