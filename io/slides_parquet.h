#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/result_store.h"

namespace wsi {

/// One slide of a batch with everything that is known about it as a whole.
struct SlideRow {
    std::string slide, status, message;
    bool finished = false;  ///< false: there are no numbers but `seconds`
    uint64_t nuclei = 0, failed_blocks = 0;
    double tissue_mm2 = 0, density_per_mm2 = 0, seconds = 0;
    std::vector<SummaryValue> aggregates;
};

/// Writes rows 0 .. count - 1 as Parquet: the columns of summary.csv, then every aggregate that any
/// row has, in the order they are met. Null where a slide has none or it is undefined. `row` is
/// called once for each, in order. Memory: 8 bytes per number. Throws Error{Output}.
void write_slides_parquet(const std::string& path, size_t count,
                          const std::function<SlideRow(size_t)>& row);

}  // namespace wsi
