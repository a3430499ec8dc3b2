#pragma once

#include <span>
#include <vector>

#include "io/roi.h"
#include "io/types/image.h"
#include "io/types/nucleus.h"
#include "io/types/work_frame.h"

namespace wsi {

/// An outline whose box is longer than this is not one of a nucleus.
inline constexpr double kMostNucleusUm = 128;

enum class RasterOutcome {
    Clean,
    Repaired,  ///< it crossed itself or fell into pieces: the largest piece stayed
    TooSmall,  ///< no area, or less than three points
    TooLarge,  ///< longer than kMostNucleusUm
    OffSlide   ///< nothing of it lies on the slide
};

/// Turns what other tools say about a nucleus into what separation gives: work pixels that hang
/// together by their sides, without holes. One per thread.
class NucleusRaster {
public:
    explicit NucleusRaster(const WorkFrame& frame);
    /// Pixels whose centre lies inside a ring (level-0 pixels, closed implicitly, even-odd) or at
    /// most grow_px (level-0 pixels) away from it. A ring that holds no centre gets the pixel of
    /// its middle. What lies off the slide is cut off. runs: in raster order.
    RasterOutcome operator()(std::span<const RoiPoint> ring, double grow_px,
                             std::vector<PixelRun>& runs);
    /// Keeps the largest piece of some work pixels and fills its holes; in raster order.
    RasterOutcome clean(std::vector<PixelRun>& runs);
    int most_side_px() const { return most_side_px_; }

private:
    RasterOutcome place(std::span<const RoiPoint> ring, double grow_px);
    void fill_inside(std::span<const RoiPoint> ring);
    void mark_near(std::span<const RoiPoint> ring, double grow_px);
    void mark_middle(std::span<const RoiPoint> ring);
    bool collect(std::vector<PixelRun>& runs) const;
    const WorkFrame frame_;
    const int most_side_px_;
    PixelRect box_;   ///< work pixels of mask_
    GrayImage mask_;  ///< one pixel of margin on every side of the nucleus
    std::vector<double> crossings_;
};

}  // namespace wsi
