#include "stages/feature_groups.h"

namespace wsi::features {

const FeatureSchema& topology_columns() {
    static const FeatureSchema columns{
        {"shape_euler_number", "1", "pieces minus holes, pixels joined at corners too"},
    };
    return columns;
}

// Gray (1971): quads of the mask with one pixel minus those with three minus twice the diagonal
// ones, over four.
void compute_topology(const Scratch& scratch, float* out) {
    const GrayImage& mask = scratch.mask;
    int64_t one = 0, three = 0, diagonal = 0;
    for (int64_t y = 0; y + 1 < mask.height(); ++y) {
        const uint8_t *a = mask.view().row(y), *b = mask.view().row(y + 1);
        for (int64_t x = 0; x + 1 < mask.width(); ++x) {
            const int count = a[x] + a[x + 1] + b[x] + b[x + 1];
            one += count == 1;
            three += count == 3;
            diagonal += count == 2 && a[x] == b[x + 1];
        }
    }
    *out = static_cast<float>((one - three - 2 * diagonal) / 4);
}

}  // namespace wsi::features
