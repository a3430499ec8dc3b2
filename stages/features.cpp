#include "stages/features.h"

#include "stages/feature_groups.h"

namespace wsi {

const FeatureSchema& feature_schema() {
    static const FeatureSchema schema = [] {
        FeatureSchema all = features::shape_columns();
        const FeatureSchema& stain = features::stain_columns();
        all.insert(all.end(), stain.begin(), stain.end());
        return all;
    }();
    return schema;
}

FeatureExtractor::FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains)
    : frame_(frame), deconvolve_(stains) {}

void FeatureExtractor::operator()(const NucleusPixels& nucleus, std::span<float> row) {
    WSI_CHECK(row.size() == feature_schema().size() && !nucleus.runs.empty());
    features::compute_shape(nucleus, frame_, hull_, row.data());
    features::compute_stain(nucleus, deconvolve_, row.data() + features::shape_columns().size());
}

}  // namespace wsi
