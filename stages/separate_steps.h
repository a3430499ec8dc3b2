#pragma once

#include <cstdint>
#include <vector>

#include "io/types/image.h"

// The steps of separation, each a pure local function with a stated reach; see docs/separation.md.
// Internal to stages/separate*.cpp and its tests.
namespace wsi::separation {

/// Smoothed distance in sixteenths of a map unit; 0 = not in the mask, else 1 + 16 * value.
using Height = uint16_t;
inline constexpr int kHeightScale = 16;

enum class Connectivity { Four, Eight };

/// Fills background components of `labels` that one single label encloses: box at most max_side on
/// both sides, at most max_area pixels. Components that touch the window's border stay. Reach:
/// max_side + 1.
template <class Label>
void fill_holes(ImageView<Label> labels, int max_side, int64_t max_area, Connectivity background);

/// Depth in the mask: the exact Euclidean distance to the nearest pixel outside it, as a share of
/// `reach` in 255ths, 255 from there on; 0 outside the mask. Beyond the window nothing is known:
/// its edge is no border. 2 ≤ reach ≤ 255. Reach: reach.
void mask_depth(ConstGrayView mask, int reach, GrayView out);

/// Integer Gaussian of the distance map (border replicated) where mask is set. Reach: radius.
void smooth_heights(ConstGrayView mask, ConstGrayView distance, int radius, double sigma,
                    ImageView<Height> heights);

struct Marker {
    int32_t x = 0, y = 0;
};

/// Box-limited h-maxima in raster order: no higher pixel (height, then earlier raster position) can
/// be reached inside the box of half side `reach` without descending more than h. Reach: reach + 1.
std::vector<Marker> find_markers(ImageView<const Height> heights, int h, int reach);

/// One 8-connected component of the mask that holds markers.
struct MarkerGroup {
    PixelRect box;
    std::vector<uint32_t> ranks;  ///< of its markers, rising
};
std::vector<MarkerGroup> group_markers(ImageView<const Height> heights,
                                       const std::vector<Marker>& markers);

/// The N-step synchronous flood; labels: 1 + rank of the marker, 0 = not reached. Reach: steps.
class Flood {
public:
    void operator()(ImageView<const Height> heights, const std::vector<Marker>& markers, int steps,
                    ImageView<uint32_t> labels);

private:
    struct Change {
        uint32_t at;
        uint64_t key, before;
    };
    void open_box(ImageView<const Height> heights, const PixelRect& box);
    void write_labels(ImageView<uint32_t> labels) const;
    void flood_alone(int steps);
    void flood_together(int steps);
    uint64_t best(uint32_t at) const;
    void queue_affected(const Change& change);
    void step();

    // Of one component's box, padded by one pixel of non-mask.
    int64_t stride_ = 0;
    std::vector<Height> heights_;
    std::vector<uint64_t> keys_;  // (cost, steps since the cost rose, marker rank); kNone = none
    std::vector<uint8_t> dirty_;  // 1 = queued for the next step
    std::vector<uint32_t> queue_;
    std::vector<Change> changes_;
};

/// Of each label only the 4-connected piece that holds its marker stays, if it is large enough.
void keep_marker_pieces(const std::vector<Marker>& markers, int min_area,
                        ImageView<uint32_t> labels);

}  // namespace wsi::separation
