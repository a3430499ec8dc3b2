#pragma once

#include "config/config.h"
#include "io/work_reader.h"
#include "pipeline/nuclei_store.h"
#include "pipeline/part_store.h"
#include "pipeline/run_status.h"
#include "pipeline/take_nuclei.h"
#include "pipeline/window_measure.h"
#include "stages/stain.h"

namespace wsi {

/// What one measuring run works with; all of it outlives measure_regions().
struct MeasureContext {
    const SlidePlan& plan;  ///< active: the regions that measured_regions() gave
    const Slide& slide;
    const PartStore& parts;
    const TissueMask& tissue;
    const StainMatrix& stains;
    const FeatureConfig& features;
    const WorkReader* texture;  ///< of features.texture_mpp, or null
    const RunConfig& run;
    const TakenSummary& taken;
    OffTissue off_tissue = OffTissue::Measured;
    RunStatus& status;
};

/// Marks the tiles of every region that may own one of the nuclei taken; no others.
void activate_regions_with_nuclei(const TakenSummary& taken, const PartStore& parts,
                                  SlidePlan& plan);

/// Measures the nuclei that were taken, region by region in parallel, and writes the regions'
/// nuclei files; those that are there already stay. Where nuclei overlap, the smaller one keeps
/// the shared pixels (of equals the earlier), and the other its largest piece of the rest. Returns
/// false when a stop was asked for. Throws Error{Config} when regions are too small for these
/// nuclei, or memory for a region.
bool measure_regions(const MeasureContext& context);

}  // namespace wsi
