#pragma once

#include <memory>
#include <vector>

#include "io/types/idle_workers.h"
#include "io/types/nucleus.h"
#include "io/work_reader.h"
#include "pipeline/part_store.h"
#include "pipeline/run_status.h"
#include "stages/separate.h"
#include "stages/stain.h"
#include "stages/tissue.h"

namespace wsi {

/// From the stored maps of a region and its neighbours to the nuclei it owns: those whose centroid
/// lies in the region and on tissue. Thread-safe; scratch memory is recycled between calls.
class RegionFinisher {
public:
    RegionFinisher(const SlidePlan& plan, const PartStore& parts, const TissueMask& tissue,
                   const SeparateParams& params, const StainMatrix& stains,
                   const FeatureConfig& features, const WorkReader* texture, KeepMaps keep,
                   RunStatus& status);
    ~RegionFinisher();
    /// Writes the region's nuclei file (and its final maps when they are kept).
    void operator()(RegionIndex region);

private:
    struct Worker;
    std::unique_ptr<Worker> make_worker();
    PixelRect window_of(RegionIndex region) const;
    void load_window(RegionIndex region, const PixelRect& window, Worker& worker) const;
    void clear_what_was_not_run(const PixelRect& window, Worker& worker) const;
    NucleiBatch measure(RegionIndex region, const PixelRect& window, Worker& worker) const;
    void keep_maps(RegionIndex region, const PixelRect& window, Worker& worker) const;

    const SlidePlan& plan_;
    const PartStore& parts_;
    const TissueMask& tissue_;
    const SeparateParams params_;
    const StainMatrix stains_;
    const FeatureConfig features_;
    const WorkReader* const texture_;
    const KeepMaps keep_;
    RunStatus& status_;
    IdleWorkers<Worker> workers_;
};

}  // namespace wsi
