#pragma once

#include <functional>
#include <span>

#include "io/work_reader.h"
#include "pipeline/memory_plan.h"
#include "pipeline/part_store.h"
#include "pipeline/region_board.h"
#include "pipeline/run_status.h"
#include "stages/stain.h"

namespace wsi {

/// Everything the flow graph of one slide works with; all of it outlives run_flow().
struct FlowContext {
    const SlidePlan& plan;
    const WorkReader& reader;
    const StainNormaliser& normaliser;
    Segmenter& segmenter;
    std::span<const double> slide_params;
    const PartStore& parts;
    const MemoryPlan& memory;
    RegionBoard& board;
    RunStatus& status;
    int threads = 1;
    int batch = 1;
    uint64_t shuffle_seed = 0;  ///< tests: visit regions and tiles in another order; 0 = raster
    /// Separates a region from the maps on disk and writes its nuclei. Called by up to
    /// memory.finishers threads at once.
    std::function<void(RegionIndex)> finish_region;
    /// Called on a failed read: throws when the slide itself has gone.
    std::function<void()> check_slide;
};

/// Streams all open regions of a slide through load, segment, blend, store and finish. Returns when
/// every region is finished, or early when a stop was asked for (then unfinished regions stay
/// open). Throws the first exception of any node; Error{Cancelled} after StopRequest::Cancel.
void run_flow(const FlowContext& context);

}  // namespace wsi
