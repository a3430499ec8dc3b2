#pragma once

#include <string>
#include <vector>

#include "io/slide.h"
#include "pipeline/run_status.h"
#include "pipeline/slide_plan.h"
#include "stages/stain.h"
#include "stages/tissue.h"

namespace wsi {

/// What is fitted once per slide, before the first tile; a pure function of slide and
/// configuration.
struct SlideFit {
    StainFit stain;
    std::vector<double> slide_params;  ///< of the segmenter
};

struct RoiOptions {
    std::string mask_png;       ///< replaces the tissue mask; stretched over the slide
    std::string roi_geojson;    ///< polygons that replace the tissue mask
    PixelPoint geojson_origin;  ///< level-0 point that the file calls (0, 0)
};

/// "none", or hashes of the files: part of what makes a saved part valid. Throws Error{Config}.
std::string roi_hash(const RoiOptions& roi);

/// The user's mask, 1 where to look; empty when there is none. Throws Error{Config} when it cannot
/// be read, selects nothing, or has another shape than the slide.
GrayImage read_mask(const RoiOptions& roi, const SlideInfo& slide);

/// Puts the user's mask (what read_mask() gave, which is let go) or polygons in the place of the
/// detected tissue. Throws Error{Config}.
void apply_roi(const RoiOptions& roi, GrayImage mask, const WorkFrame& frame, TissueMask& tissue);

/// Tissue on an overview of the slide, inside its bounds. What cannot be decoded looks like glass
/// and is added to `failures`, in any order and maybe more than once.
TissueMask find_slide_tissue(const Slide& slide, const WorkFrame& frame, const TissueConfig& config,
                             RunStatus& status, std::vector<FailedBlock>& failures);

/// Fits stain vectors and the segmenter's slide-wide parameters on patches drawn from tissue tiles
/// by a seeded hash of their position, so that neither threads nor regions matter.
SlideFit fit_slide(const Slide& slide, const SlidePlan& plan, const TissueMask& tissue,
                   const Segmenter& segmenter, const Config& config, RunStatus& status);

}  // namespace wsi
