#include "stages/features.h"

#include <algorithm>

#include "stages/feature_groups.h"

namespace wsi {

namespace features {

void begin_nucleus(std::span<const PixelRun> runs, Scratch& s) {
    int32_t left = runs.front().x0, right = runs.front().x1;
    for (const PixelRun& run : runs) {
        left = std::min(left, run.x0);
        right = std::max(right, run.x1);
    }
    s.box = rect_from_corners(left, runs.front().y, right, runs.back().y + 1);
    s.mask.resize(s.box.width + 2, s.box.height + 2);
    s.mask.fill(0);
    for (const PixelRun& run : runs)
        std::fill_n(&s.mask(run.x0 - left + 1, run.y - s.box.y + 1), run.x1 - run.x0, uint8_t{1});
}

}  // namespace features

const FeatureSchema& feature_schema() {
    static const FeatureSchema schema = [] {
        FeatureSchema all;
        for (const FeatureSchema& group :
             {features::shape_columns(), features::outline_columns(), features::interior_columns(),
              features::moment_columns(), features::stain_columns()})
            all.insert(all.end(), group.begin(), group.end());
        return all;
    }();
    return schema;
}

FeatureExtractor::FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains)
    : frame_(frame), deconvolve_(stains), scratch_(std::make_unique<features::Scratch>()) {}

FeatureExtractor::~FeatureExtractor() = default;

void FeatureExtractor::operator()(const NucleusPixels& nucleus, std::span<float> row) {
    WSI_CHECK(row.size() == feature_schema().size() && !nucleus.runs.empty());
    features::begin_nucleus(nucleus.runs, *scratch_);
    float* out = row.data();
    features::compute_shape(nucleus, frame_, *scratch_, out);
    features::compute_outline(nucleus, frame_, *scratch_, out += features::shape_columns().size());
    features::compute_interior(frame_, *scratch_, out += features::outline_columns().size());
    features::compute_moments(nucleus, frame_, out += features::interior_columns().size());
    features::compute_stain(nucleus, deconvolve_, out + features::moment_columns().size());
}

}  // namespace wsi
