#include "stages/features.h"

#include <algorithm>
#include <cmath>

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

namespace {

/// Asks for the window's rows around a nucleus, short pieces far apart that the processor cannot
/// foresee, while the outline is being measured.
void prefetch_patch(const NucleusPixels& nucleus, const PixelRect& box, int64_t margin) {
    const PixelRect window{nucleus.origin_work.x, nucleus.origin_work.y, nucleus.rgb.width,
                           nucleus.rgb.height};
    const PixelRect patch = intersection(box.grown(margin), window);
    constexpr int64_t kLine = 64;
    for (int64_t y = patch.y - window.y; y < patch.bottom() - window.y; ++y) {
        const uint8_t* rgb = nucleus.rgb.at(patch.x - window.x, y);
        for (int64_t at = 0; at < 3 * patch.width; at += kLine) __builtin_prefetch(rgb + at);
        if (nucleus.labels.empty()) continue;
        const uint32_t* labels = nucleus.labels.at(patch.x - window.x, y);
        for (int64_t at = 0; at < patch.width; at += kLine / 4) __builtin_prefetch(labels + at);
    }
}

}  // namespace

FeatureSchema feature_schema(const FeatureConfig& config) {
    FeatureSchema all;
    const auto add = [&all](const FeatureSchema& group) {
        all.insert(all.end(), group.begin(), group.end());
    };
    add(features::shape_columns());
    add(features::outline_columns());
    add(features::interior_columns());
    add(features::topology_columns());
    if (config.zernike) add(features::zernike_columns());
    if (config.moments) add(features::moment_columns());
    if (config.intensity) add(features::intensity_columns(config.ring_um > 0));
    if (config.intensity) add(features::weighted_columns());
    if (config.texture) add(features::GradientFeatures::columns());
    if (config.texture) add(features::HaralickFeatures::columns());
    if (config.texture) add(features::radial_columns());
    return all;
}

int ring_px(const FeatureConfig& config, const WorkFrame& frame) {
    if (!config.intensity || config.ring_um == 0) return 0;
    return std::max(1, static_cast<int>(std::lround(config.ring_um / frame.mpp())));
}

FeatureExtractor::FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains,
                                   const FeatureConfig& config)
    : frame_(frame),
      deconvolve_(stains),
      config_(config),
      columns_(feature_schema(config).size()),
      scratch_(std::make_unique<features::Scratch>()) {
    scratch_->haralick.set_levels(config.grey_levels);
}

FeatureExtractor::~FeatureExtractor() = default;

void FeatureExtractor::operator()(const NucleusPixels& nucleus, std::span<float> row) {
    WSI_CHECK(row.size() == columns_ && !nucleus.runs.empty());
    features::Scratch& s = *scratch_;
    features::begin_nucleus(nucleus.runs, s);
    if (config_.intensity || config_.texture)
        prefetch_patch(nucleus, s.box,
                       std::max<int64_t>(ring_px(config_, frame_), features::kTextureMargin));
    float* out = row.data();
    features::compute_shape(nucleus, frame_, s, out);
    features::compute_outline(nucleus, frame_, s, out += features::shape_columns().size());
    features::compute_interior(frame_, s, out += features::outline_columns().size());
    features::compute_topology(s, out += features::interior_columns().size());
    out += features::topology_columns().size();
    if (config_.zernike) {
        features::compute_zernike(nucleus, s, out);
        out += features::zernike_columns().size();
    }
    if (config_.moments) {
        features::compute_moments(nucleus, frame_, out);
        out += features::moment_columns().size();
    }
    if (config_.intensity || config_.texture) add_patch_features(nucleus, out);
}

void FeatureExtractor::add_patch_features(const NucleusPixels& nucleus, float*& out) {
    features::Scratch& s = *scratch_;
    const int ring = ring_px(config_, frame_);
    features::fill_patch(nucleus, s.box, ring, deconvolve_, s.patch);
    if (config_.intensity) {
        features::compute_intensity(s.patch, ring > 0, s.summarise, out);
        features::compute_weighted(s.patch, frame_,
                                   out += features::intensity_columns(ring > 0).size());
        out += features::weighted_columns().size();
    }
    if (!config_.texture) return;
    s.gradient(s.patch, s.summarise, s.values, out);
    out += features::GradientFeatures::columns().size();
    s.haralick(s.patch, out);
    features::compute_radial(s, out += features::HaralickFeatures::columns().size());
}

}  // namespace wsi
