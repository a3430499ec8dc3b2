#pragma once

#include <functional>

#include "config/config.h"
#include "io/types/image.h"
#include "io/types/work_frame.h"

namespace wsi {

/// Where nuclei are looked for: one cell per about 8 µm.
struct TissueMask {
    GrayImage cells;          ///< 0 glass, 1 tissue; covers the whole work frame
    double cell_work_px = 1;  ///< work pixels per cell, both axes
    double mpp = 0;           ///< micrometres per cell

    /// Whether a work-frame point is on tissue; false outside the frame.
    bool contains(double x_work, double y_work) const;
    bool intersects(const PixelRect& rect_work) const;
    double area_mm2() const;
};

/// Finds tissue on an overview image, about config.mpp per pixel, 3 channels RGB uint8, any size ≥
/// 1x1. Robust on pale, dark and IHC tissue; pen marks, glass edges, cover-slip lines and black
/// borders are left out. `overview_mpp` is the resolution of `overview`. Returns 0/1 per overview
/// pixel. An image of at most 1 mm², a field of view, that holds tissue is all tissue,
/// ink excepted; one smaller than config.min_area_um2 is so in any case.
GrayImage find_tissue(ConstRgbView overview, double overview_mpp, const TissueConfig& config);

}  // namespace wsi
