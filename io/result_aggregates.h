#pragma once

#include <string>
#include <vector>

#include "io/result_store.h"

namespace wsi {

/// What /summary of a result file says beyond number, tissue and density: "<feature>_mean", "_sd",
/// "_minimum", "_quartile1", "_median", "_quartile3", "_maximum" and "_defined" (nuclei that have
/// the feature) for each feature in the table's order, then "<group>_<name>" (graph, ihc). NaN =
/// undefined. Throws Error{Slide} for a file without it.
std::vector<SummaryValue> read_aggregates(const std::string& result);

}  // namespace wsi
