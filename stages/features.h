#pragma once

#include <memory>
#include <span>

#include "io/types/image.h"
#include "io/types/nucleus.h"
#include "io/types/work_frame.h"
#include "stages/stain.h"

namespace wsi {

/// Columns written for every nucleus beyond its identity, in table order: the groups of
/// stages/features_*.cpp one after the other. Definitions: docs/features.md.
const FeatureSchema& feature_schema();

/// What one nucleus's features are computed from. Views live for the call only.
struct NucleusPixels {
    std::span<const PixelRun> runs;      ///< work frame, row by row
    std::span<const ContourPoint> ring;  ///< hundredths of level-0 pixels
    ConstRgbView rgb;                    ///< the slide's own colours; covers the nucleus's box
    PixelPoint rgb_origin_work;          ///< work coordinates of rgb (0, 0)
};

namespace features {
struct Scratch;
}

/// Computes one row of the table. Undefined values are NaN. Depends on the nucleus alone, never on
/// the window that holds it. One per thread.
class FeatureExtractor {
public:
    FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains);
    ~FeatureExtractor();
    /// row: feature_schema().size() values.
    void operator()(const NucleusPixels& nucleus, std::span<float> row);

private:
    WorkFrame frame_;
    Deconvolver deconvolve_;
    std::unique_ptr<features::Scratch> scratch_;
};

}  // namespace wsi
