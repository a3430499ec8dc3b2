#pragma once

#include <memory>
#include <vector>

#include "io/slide.h"

namespace wsi {

/// A level within this ratio of the wanted resolution is used as it is; the true resolution then
/// goes into every micrometre.
inline constexpr double kLevelTolerance = 0.05;

/// The work frame for a wanted resolution: the coarsest level that is not coarser than
/// work_mpp * 1.05; equal to that level's pixels when within 5 %, else resampled by area from it.
/// Throws Error{Slide} when the slide is too coarse (level-0 mpp above both
/// 2 * work_mpp and the 0.6 µm of the coarsest 20x scanners).
WorkFrame make_work_frame(const SlideInfo& info, Mpp work_mpp);

/// Reads work pixels. A work pixel's value never depends on the rectangle that asked for it: the
/// level is read in fixed blocks anchored at its origin and resampled by area on a grid anchored at
/// the slide's origin. Thread-safe; decoded blocks are shared through a bounded cache.
class WorkReader {
public:
    /// cache_bytes bounds the decoded blocks kept.
    WorkReader(const Slide& slide, const WorkFrame& frame, size_t cache_bytes);
    ~WorkReader();
    const WorkFrame& frame() const;
    /// Fills `out` (size of rect) with work pixels; outside the frame = background. Blocks that
    /// cannot be decoded are background and are returned (each block once per call).
    std::vector<FailedBlock> read(const PixelRect& rect_work, RgbView out) const;
    /// What resampling took of the CPU time of all read() so far.
    int64_t resample_cpu_ns() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace wsi
