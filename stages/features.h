#pragma once

#include <memory>
#include <span>

#include "config/config.h"
#include "io/types/image.h"
#include "io/types/nucleus.h"
#include "io/types/work_frame.h"
#include "stages/stain.h"

namespace wsi {

/// Columns written for every nucleus beyond its identity, in table order: the groups of
/// stages/features_*.cpp that are switched on, one after the other. Definitions: docs/features.md.
FeatureSchema feature_schema(const FeatureConfig& config);

/// Width of the ring around a nucleus in work pixels, 0 = none: how far from a nucleus the labels
/// of others decide about its features.
int ring_px(const FeatureConfig& config, const WorkFrame& frame);

/// What one nucleus's features are computed from. Views live for the call only.
struct NucleusPixels {
    std::span<const PixelRun> runs;      ///< work frame, row by row
    std::span<const ContourPoint> ring;  ///< hundredths of level-0 pixels
    ConstRgbView rgb;                    ///< the slide's own colours; covers the nucleus's box and
                                         ///< as much around it as the slide has, ring or 6 pixels
    ImageView<const uint32_t> labels;    ///< as large as rgb, 0 = no nucleus; empty: no others
    PixelPoint origin_work;              ///< work coordinates of rgb and labels (0, 0)
};

namespace features {
struct Scratch;
}

/// Computes one row of the table. Undefined values are NaN. Depends on the nucleus and what
/// lies within its ring or 6 pixels, never on the window that holds it. One per thread.
class FeatureExtractor {
public:
    FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains,
                     const FeatureConfig& config);
    ~FeatureExtractor();
    /// row: feature_schema(config).size() values.
    void operator()(const NucleusPixels& nucleus, std::span<float> row);

private:
    void add_patch_features(const NucleusPixels& nucleus, float*& out);
    WorkFrame frame_;
    Deconvolver deconvolve_;
    FeatureConfig config_;
    size_t columns_;
    std::unique_ptr<features::Scratch> scratch_;
};

}  // namespace wsi
