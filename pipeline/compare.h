#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/result_store.h"

namespace wsi {

/// What became of a nucleus of one result in the other.
enum class Fate : uint8_t {
    Matched,   ///< one of the other overlaps it with IoU > 0.5
    Only,      ///< none does
    InPieces,  ///< none does, but two or more of the other lie mostly in it
};

/// A nucleus of A and one of B with IoU > 0.5, by id - 1.
struct MatchedPair {
    uint32_t a = 0, b = 0;
    float iou = 0;
};

/// How one column moved from A to B, over the matched pairs in which both are defined.
struct ColumnShift {
    std::string name, unit;
    uint64_t pairs = 0;
    double median_a = 0, median_b = 0;
    double median_difference = 0;           ///< of b - a
    double median_absolute_difference = 0;  ///< of |b - a|
};

/// Two results of one slide. Pixels are those of A's work frame.
struct Comparison {
    uint64_t count_a = 0, count_b = 0;
    std::vector<MatchedPair> pairs;     ///< by a
    std::vector<Fate> fate_a, fate_b;   ///< by id - 1
    std::vector<float> best_a, best_b;  ///< IoU with the best partner; 0 = touches none
    int64_t area_a_px = 0, area_b_px = 0, both_px = 0;
    uint64_t other_class = 0;                 ///< matched pairs whose classes have other names
    double pq = 0, dq = 0, sq = 0;            ///< docs/evaluation.md; A is taken for the truth
    double dice = 0;                          ///< of all nuclei's pixels
    std::vector<ColumnShift> shifts;          ///< of columns that both have
    std::vector<std::string> only_a, only_b;  ///< columns that one lacks

    uint64_t count(const std::vector<Fate>& fates, Fate fate) const;
};

/// Throws Error{Config} naming both slides when they are not the same. Memory: about 50 bytes per
/// nucleus of both.
Comparison compare_results(const ResultReader& a, const ResultReader& b,
                           const std::function<void(double fraction)>& progress);

}  // namespace wsi
