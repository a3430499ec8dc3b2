#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "io/types/image.h"
#include "io/types/nucleus.h"
#include "io/work_reader.h"
#include "pipeline/run_status.h"
#include "stages/contour.h"
#include "stages/features.h"
#include "stages/tissue.h"

namespace wsi {

/// A part of the slide on which every nucleus has a number, whoever gave it. Views live for the
/// call only.
struct LabelledWindow {
    PixelRect rect;                    ///< work pixels
    ImageView<const uint32_t> labels;  ///< as large as rect; 0 = no nucleus
    uint32_t count = 0;                ///< labels run 1..count; some may own no pixel
    ConstRgbView rgb;                  ///< as large as rect, the slide's own colours
};

enum class OffTissue { LeftOut, Measured };

/// From labels and colours of a window to rows of the table: pixels, contour, identity, features.
/// What a nucleus gets depends on the pixels within its contour's and its ring's reach alone, not
/// on the window. One per thread: its memory is recycled.
class WindowMeasurer {
public:
    /// texture: reads the pixels of features.texture_mpp; null: texture is that of the window.
    WindowMeasurer(const WorkFrame& frame, const TissueMask& tissue, const StainMatrix& stains,
                   const FeatureConfig& features, const WorkReader* texture, StageClocks& clocks);

    /// Adds to `who` what pixels do not tell: probabilities, class, flags.
    using Describe =
        std::function<void(uint32_t label, std::span<const PixelRun> runs, NucleusIdentity& who)>;

    /// The nuclei whose centroid lies in `owned` (and on tissue), in id order.
    NucleiBatch operator()(const LabelledWindow& window, const PixelRect& owned, OffTissue off,
                           const Describe& describe);

    /// Blocks that texture could not be read from since the last call; it is NaN there.
    std::vector<FailedBlock> take_failures() { return std::exchange(failures_, {}); }

private:
    std::span<const PixelRun> runs_of(uint32_t label) const {
        return {runs_.data() + run_offsets_[label], run_offsets_[label + 1] - run_offsets_[label]};
    }
    /// Those to be measured, in id order.
    std::vector<uint32_t> owned_labels(const LabelledWindow& window, const PixelRect& owned,
                                       OffTissue off) const;
    NucleusIdentity identify(const LabelledWindow& window, uint32_t label,
                             std::span<const PixelRun> runs);
    /// Fills fine_; where its first pixel lies in the texture's frame.
    PixelPoint read_texture(std::span<const PixelRun> runs);
    const WorkFrame frame_;
    const TissueMask& tissue_;
    const WorkReader* texture_;
    StageClocks& clocks_;
    const size_t columns_;
    FeatureExtractor extract_;
    ContourTracer trace_;
    std::vector<PixelRun> runs_;         // of all labels of the window, grouped by label
    std::vector<uint64_t> run_offsets_;  // [labels + 2]
    std::vector<ContourPoint> ring_;
    std::vector<float> row_;
    RgbImage fine_;  // texture's own pixels
    std::vector<FailedBlock> failures_;
};

/// Runs of every label of a window, grouped by label, in raster order inside each: those of label
/// k are [offsets[k], offsets[k + 1]). Work frame; origin: work coordinates of labels (0, 0).
void collect_runs(ImageView<const uint32_t> labels, uint32_t count, PixelPoint origin,
                  std::vector<PixelRun>& runs, std::vector<uint64_t>& offsets);

}  // namespace wsi
