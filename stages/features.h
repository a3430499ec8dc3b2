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
                                         ///< surroundings_px() around it, as far as the slide goes
    ImageView<const uint32_t> labels;    ///< as large as rgb, 0 = no nucleus; empty: no others
    PixelPoint origin_work;              ///< work coordinates of rgb and labels (0, 0)
    /// Only where texture has pixels of its own: covers FeatureExtractor::texture_rect(), as far as
    /// the slide goes. Empty: they could not be read, and the texture is NaN.
    ConstRgbView texture_rgb = {};
    PixelPoint texture_origin = {};  ///< texture coordinates of texture_rgb (0, 0)
};

namespace features {
struct Scratch;
}

/// How far from a nucleus, in work pixels along both axes, colours decide about its features.
int surroundings_px(const FeatureConfig& config, const WorkFrame& frame);

/// Computes one row of the table. Undefined values are NaN. Depends on the nucleus and what
/// lies in its surroundings, never on the window that holds it. One per thread.
class FeatureExtractor {
public:
    /// texture: the frame of the pixels that texture is read from, as fine as `frame` or finer.
    FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains, const FeatureConfig& config,
                     const WorkFrame& texture);
    FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains, const FeatureConfig& config)
        : FeatureExtractor(frame, stains, config, frame) {}
    ~FeatureExtractor();
    /// Texture pixels that the nucleus's texture depends on, where they are not the work frame's;
    /// may leave the slide. Empty when there is no texture.
    PixelRect texture_rect(std::span<const PixelRun> runs) const;
    /// row: feature_schema(config).size() values.
    void operator()(const NucleusPixels& nucleus, std::span<float> row);

private:
    void add_patch_features(const NucleusPixels& nucleus, float*& out);
    void add_texture(const NucleusPixels& nucleus, float*& out);
    WorkFrame frame_;
    double texture_per_work_;
    Deconvolver deconvolve_;
    FeatureConfig config_;
    size_t columns_;
    std::unique_ptr<features::Scratch> scratch_;
};

}  // namespace wsi
