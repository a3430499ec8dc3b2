#pragma once

#include "io/types/image.h"

namespace wsi {

/// HoVer-Net's maps (Graham et al. 2019, section 3.1): how far a pixel lies to the right of, and
/// below, its nucleus' centre of mass, as a share of the nucleus' extent on that side: -1 at its
/// left or top end, 1 at its right or lower one, 0 outside nuclei.
struct OffsetMaps {
    Image<float> horizontal, vertical;
};

/// What perfect maps say about a labelled image.
OffsetMaps nucleus_offsets(ImageView<const uint32_t> labels);

/// From horizontal and vertical maps to the distance-like map that separation works on
/// (docs/separation.md). HoVer-Net's energy, made local: its Sobel filter (21 px at 0.25 µm per
/// pixel) finds where offsets jump back from one nucleus' far side to the next one's near side, but
/// the scale is that of a perfect jump instead of the image's own extremes.
class OffsetDistance {
public:
    explicit OffsetDistance(double mpp);
    /// How far away a value looks, in pixels.
    int reach_px() const;
    /// [H, W] float32 maps, any values → [H, W] uint8. At the ends the maps are mirrored.
    void operator()(ImageView<const float> horizontal, ImageView<const float> vertical,
                    GrayView out) const;

private:
    int filter_px_;   ///< side of the Sobel filter, odd
    float jump_ = 0;  ///< its answer to a step of 1
};

}  // namespace wsi
