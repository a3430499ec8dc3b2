#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsi {

/// A possible pair and what it is worth, > 0.
struct WeightedPair {
    uint32_t row = 0, column = 0;
    double weight = 0;
};

/// Indices into `pairs` of the one-to-one choice with the greatest sum of weights, ascending. A row
/// or column may stay without a partner. Pairs fall into blocks that share no row and no column;
/// each is solved by itself (Hungarian method, O(short side² * long side)), so that a thousand
/// nuclei that touch few others cost little.
std::vector<size_t> best_assignment(const std::vector<WeightedPair>& pairs, uint32_t rows,
                                    uint32_t columns);

}  // namespace wsi
