#pragma once

#include <span>

#include "io/result_store.h"
#include "pipeline/run_status.h"
#include "stages/delaunay.h"

namespace wsi {

/// Writes the last columns of the table, stages/neighbours.h, and /summary/graph. sites: of all
/// nuclei, in id order, so that regions, threads and the order of work cannot matter. Rows are
/// computed in parallel. Takes kNeighbourBytes per nucleus, the sites included.
void measure_neighbours(std::span<const Site> sites, const WorkFrame& frame,
                        const ResultHeader& header, ResultWriter& out, RunStatus& status);

/// Sites 8, triangulation 64 while it is built and 52 later, statistics 20, buffers; measured: 98.
inline constexpr int64_t kNeighbourBytes = 104;

}  // namespace wsi
