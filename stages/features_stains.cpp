#include "stages/feature_groups.h"

namespace wsi::features {

const FeatureSchema& stain_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all;
        for (const FeatureColumn& column : intensity_columns(false))
            for (const char* name :
                 {"nucleus_H_mean", "nucleus_H_sd", "nucleus_E_mean", "nucleus_E_sd"})
                if (column.name == name) all.push_back(column);
        return all;
    }();
    return columns;
}

void compute_stains(const NucleusPixels& nucleus, const Deconvolver& deconvolve, Scratch& scratch,
                    float* out) {
    size_t count = 0;
    for (const PixelRun& run : nucleus.runs) count += static_cast<size_t>(run.x1 - run.x0);
    for (auto& values : scratch.stains) values.resize(count);
    size_t i = 0;
    for (const PixelRun& run : nucleus.runs) {
        const uint8_t* rgb =
            nucleus.rgb.at(run.x0 - nucleus.origin_work.x, run.y - nucleus.origin_work.y);
        for (int64_t x = run.x0; x < run.x1; ++x, ++i, rgb += 3) {
            const std::array<float, 2> density = deconvolve(rgb);
            for (size_t k = 0; k < 2; ++k) scratch.stains[k][i] = density[k];
        }
    }
    for (const auto& values : scratch.stains) {
        const Summary summary = brief_summary(values);
        *out++ = static_cast<float>(summary.mean);
        *out++ = static_cast<float>(summary.sd);
    }
}

}  // namespace wsi::features
