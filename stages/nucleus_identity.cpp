#include "stages/nucleus_identity.h"

#include <algorithm>

namespace wsi {

void work_centroid(std::span<const PixelRun> runs, double& x, double& y) {
    int64_t n = 0, twice_x = 0, twice_y = 0;
    for (const PixelRun& run : runs) {
        const int64_t width = run.x1 - run.x0;
        n += width;
        twice_x += width * (int64_t{run.x0} + run.x1);
        twice_y += width * (2 * int64_t{run.y} + 1);
    }
    x = static_cast<double>(twice_x) / static_cast<double>(2 * n);
    y = static_cast<double>(twice_y) / static_cast<double>(2 * n);
}

NucleusIdentity nucleus_identity(std::span<const PixelRun> runs, std::span<const ContourPoint> ring,
                                 const WorkFrame& frame) {
    NucleusIdentity who;
    work_centroid(runs, who.centroid_x_work, who.centroid_y_work);
    who.centroid_x_px = frame.to_level0(who.centroid_x_work);
    who.centroid_y_px = frame.to_level0(who.centroid_y_work);
    who.centroid_x_um = static_cast<float>(who.centroid_x_work * frame.mpp_x);
    who.centroid_y_um = static_cast<float>(who.centroid_y_work * frame.mpp_y);
    const auto [left, right] = std::ranges::minmax(ring, {}, &ContourPoint::x);
    const auto [top, bottom] = std::ranges::minmax(ring, {}, &ContourPoint::y);
    const auto px = [](int32_t v) { return static_cast<float>(v * kContourScale); };
    who.bbox_x0_px = px(left.x);
    who.bbox_y0_px = px(top.y);
    who.bbox_x1_px = px(right.x);
    who.bbox_y1_px = px(bottom.y);
    return who;
}

}  // namespace wsi
