#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace wsi {

/// Statistics of one column, NaN left out.
struct ColumnSummary {
    uint64_t count = 0;
    double mean = 0, sd = 0;  ///< population standard deviation; NaN when count is 0
    double quartile1 = 0, median = 0, quartile3 = 0, least = 0, most = 0;
};

/// Reads a column in blocks, as often as asked: calls `use` with consecutive pieces in id order.
using ColumnPasses = std::function<void(const std::function<void(std::span<const float>)>& use)>;

/// Exact statistics in bounded memory, in three passes: sums in id order in double; order
/// statistics by narrowing histograms over the floats' bit order, interpolated linearly as numpy
/// does.
ColumnSummary summarise_column(const ColumnPasses& passes);

}  // namespace wsi
