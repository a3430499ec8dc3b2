#include <cmath>

#include "stages/feature_groups.h"

namespace wsi::features {

const FeatureSchema& stain_columns() {
    static const FeatureSchema columns{
        {"nucleus_H_mean", "od", "mean density of the first stain (haematoxylin)"},
        {"nucleus_H_sd", "od", "standard deviation of the first stain's density"},
        {"nucleus_E_mean", "od", "mean density of the second stain (eosin, or DAB)"},
        {"nucleus_E_sd", "od", "standard deviation of the second stain's density"},
    };
    return columns;
}

void compute_stain(const NucleusPixels& nucleus, const Deconvolver& deconvolve, float* out) {
    double sum[2] = {0, 0}, squares[2] = {0, 0};
    int64_t n = 0;
    for (const PixelRun& run : nucleus.runs) {
        const uint8_t* rgb =
            nucleus.rgb.at(run.x0 - nucleus.rgb_origin_work.x, run.y - nucleus.rgb_origin_work.y);
        for (int32_t x = run.x0; x < run.x1; ++x, rgb += 3) {
            const std::array<float, 2> density = deconvolve(rgb);
            for (size_t c = 0; c < 2; ++c) {
                sum[c] += static_cast<double>(density[c]);
                squares[c] += static_cast<double>(density[c]) * static_cast<double>(density[c]);
            }
        }
        n += run.x1 - run.x0;
    }
    for (size_t c = 0; c < 2; ++c) {
        const double mean = sum[c] / static_cast<double>(n);
        const double variance = std::max(0.0, squares[c] / static_cast<double>(n) - mean * mean);
        out[2 * c] = static_cast<float>(mean);
        out[2 * c + 1] = static_cast<float>(std::sqrt(variance));
    }
}

}  // namespace wsi::features
