#pragma once

#include <cstdint>
#include <vector>

#include "io/types/geometry.h"
#include "io/types/image.h"
#include "io/types/nucleus.h"

namespace wsi {

/// Traces the exterior ring of one label as a smooth, valid polygon. One vertex per 4-neighbour
/// pair (p inside, q outside), on the open segment between the two pixel centres: a ring of
/// marching squares, simple by construction whatever the positions on those segments. The positions
/// come from a local quadratic fit (Savitzky–Golay, which does not shrink circles) along the chain
/// of one pair of labels, in integers, so that two touching nuclei get the very same edge, smoothed
/// once. Where three labels meet, the centre of the four pixels is a vertex of all of them.
/// Vertices within 0.06 work pixels of a straight line are left out. Reach outside the label: one
/// pixel. One tracer per thread.
class ContourTracer {
public:
    /// labels: a window [H, W]; outside of it counts as background. `label` must be 4-connected;
    /// `first`: its first pixel in raster order. `origin_work`: work coordinates of window pixel
    /// (0, 0). ring: vertices in hundredths of level-0 pixels, starting above `first`, clockwise on
    /// the screen (positive area when y points down), closed implicitly.
    void operator()(ImageView<const uint32_t> labels, uint32_t label, PixelPoint first,
                    PixelPoint origin_work, double downsample, std::vector<ContourPoint>& ring);

private:
    struct Crack {
        int64_t x, y;          // pixel inside, window frame
        int side;              // 0 top, 1 right, 2 bottom, 3 left
        uint32_t outside;      // label on the other side
        int64_t x_fix, y_fix;  // vertex, window frame
        bool chain_start;      // the chain of one pair of labels starts here
        bool keep;             // a vertex of the ring, not thinned out
        bool junction_before;  // a vertex at the corner before this crack
    };
    void walk(ImageView<const uint32_t> labels, uint32_t label, PixelPoint first);
    void smooth();
    void smooth_chain(size_t first, size_t count, bool closed);
    void thin_chain(size_t first, size_t count, bool closed);
    bool nearly_straight(size_t from, size_t to, int64_t direction) const;

    std::vector<Crack> cracks_;
    std::vector<PixelPoint> along_, smoothed_;  // a chain's vertices before and after
};

}  // namespace wsi
