#pragma once

#include "io/result_store.h"
#include "pipeline/part_store.h"
#include "pipeline/run_status.h"

namespace wsi {

/// Joins the finished regions of a run into one result file: ids in the order of fixed cells, label
/// and mask rasters painted from the nuclei's own pixels. Works in bands of kIdCellPx rows, so
/// memory does not grow with the slide's height or, but for neighbours, its number of nuclei;
/// chunks are compressed in parallel. Grades of DAB are added on the way; neighbours, when they are
/// on, come last, over the whole slide.
void assemble(const SlidePlan& plan, const PartStore& parts, const ResultHeader& header,
              const std::string& path, const Config& config, RunStatus& status);

/// Over all regions.
uint64_t count_nuclei(const SlidePlan& plan, const PartStore& parts);

/// Blocks that could not be decoded, over all regions, each once.
std::vector<FailedBlock> collect_failures(const SlidePlan& plan, const PartStore& parts);

}  // namespace wsi
