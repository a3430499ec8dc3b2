#include "stages/feature_groups.h"

namespace wsi::features {

const FeatureSchema& ring_columns() {
    static const FeatureSchema columns{
        {"ring_area_um2", "um2", "area of the ring"},
        {"ring_nucleus_cell_area_ratio", "1", "area over that of nucleus and ring together"},
    };
    return columns;
}

void compute_ring(const Patch& patch, const WorkFrame& frame, float* out) {
    const auto nucleus = static_cast<double>(patch.nucleus.size()),
               ring = static_cast<double>(patch.ring.size());
    *out++ = static_cast<float>(ring * frame.px_area_um2());
    *out++ = static_cast<float>(nucleus / (nucleus + ring));
}

}  // namespace wsi::features
