#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/config.h"
#include "io/result_store.h"

namespace wsi {

/// Columns that say how strongly a nucleus is stained with DAB: one.
FeatureSchema ihc_columns();

/// Grades nuclei by their mean density of DAB in one place: 0 negative, 1 weak, 2 moderate, 3
/// strong; keeps count for the slide.
class IhcScorer {
public:
    /// schema: holds `<place>_DAB_mean`. Throws Error{Config} when it does not.
    IhcScorer(const IhcConfig& config, const FeatureSchema& schema);
    /// Grade of a row of the schema's first columns, counted; NaN where the place has no pixels.
    float operator()(std::span<const float> row);
    /// Numbers of graded nuclei, positive_fraction = 1 + 2 + 3 over all, h_score = 100 (share of 1
    /// + 2 · share of 2 + 3 · share of 3), the thresholds; NaN without nuclei.
    std::vector<SummaryValue> summary() const;

private:
    IhcConfig config_;
    size_t column_ = 0;
    std::array<uint64_t, 4> counts_{};
};

}  // namespace wsi
