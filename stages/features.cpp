#include "stages/features.h"

#include <algorithm>
#include <cmath>

#include "stages/feature_groups.h"

namespace wsi {

namespace {

PixelRect box_of(std::span<const PixelRun> runs) {
    int32_t left = runs.front().x0, right = runs.front().x1;
    for (const PixelRun& run : runs) {
        left = std::min(left, run.x0);
        right = std::max(right, run.x1);
    }
    return rect_from_corners(left, runs.front().y, right, runs.back().y + 1);
}

bool has_ring_texture(const FeatureConfig& config) {
    return !config.brief && config.texture && config.ring_texture && config.ring_um > 0;
}

}  // namespace

namespace features {

void begin_nucleus(std::span<const PixelRun> runs, Scratch& s) {
    s.box = box_of(runs);
    s.mask.resize(s.box.width + 2, s.box.height + 2);
    s.mask.fill(0);
    for (const PixelRun& run : runs)
        std::fill_n(&s.mask(run.x0 - s.box.x + 1, run.y - s.box.y + 1), run.x1 - run.x0,
                    uint8_t{1});
    s.moments = central_moments(runs);
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
    if (config.brief) {
        add(features::stain_columns());
        return all;
    }
    add(features::outline_columns());
    add(features::interior_columns());
    add(features::topology_columns());
    if (config.zernike) add(features::zernike_columns());
    if (config.moments) add(features::moment_columns());
    if (config.intensity && config.ring_um > 0) add(features::ring_columns());
    if (config.intensity) add(features::intensity_columns(config.ring_um > 0));
    if (config.intensity) add(features::weighted_columns());
    const auto add_texture = [&](const char* place, const char* what) {
        add(features::GradientFeatures::columns(place, what));
        add(features::HaralickFeatures::columns(place, what));
    };
    if (config.texture) add_texture("nucleus_H", "H in the nucleus");
    if (config.texture) add(features::radial_columns());
    if (has_ring_texture(config)) add_texture("ring_E", "E in the ring");
    return all;
}

int ring_px(const FeatureConfig& config, const WorkFrame& frame) {
    const bool used = !config.brief && (config.intensity || has_ring_texture(config));
    if (!used || config.ring_um == 0) return 0;
    return std::max(1, static_cast<int>(std::lround(config.ring_um / frame.mpp())));
}

int surroundings_px(const FeatureConfig& config, const WorkFrame& frame) {
    const int ring = ring_px(config, frame), texture = static_cast<int>(features::kTextureMargin);
    return has_ring_texture(config) ? ring + texture : std::max(ring, texture);
}

FeatureExtractor::FeatureExtractor(const WorkFrame& frame, const StainMatrix& stains,
                                   const FeatureConfig& config, const WorkFrame& texture)
    : frame_(frame),
      texture_per_work_(frame.downsample / texture.downsample),
      deconvolve_(stains),
      config_(config),
      columns_(feature_schema(config).size()),
      scratch_(std::make_unique<features::Scratch>()) {
    scratch_->haralick.set_levels(config.grey_levels, config.stretch_grey_levels
                                                          ? features::Grey::Own
                                                          : features::Grey::Fixed);
}

FeatureExtractor::~FeatureExtractor() = default;

void FeatureExtractor::operator()(const NucleusPixels& nucleus, std::span<float> row) {
    WSI_CHECK(row.size() == columns_ && !nucleus.runs.empty());
    features::Scratch& s = *scratch_;
    features::begin_nucleus(nucleus.runs, s);
    if (config_.brief) {
        features::compute_shape(nucleus, frame_, s, row.data());
        features::compute_stains(nucleus, deconvolve_, s,
                                 row.data() + features::shape_columns().size());
        return;
    }
    if (config_.intensity || config_.texture)
        prefetch_patch(nucleus, s.box, surroundings_px(config_, frame_));
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
        features::compute_moments(nucleus, frame_, s, out);
        out += features::moment_columns().size();
    }
    if (config_.intensity || config_.texture) add_patch_features(nucleus, out);
}

void FeatureExtractor::add_patch_features(const NucleusPixels& nucleus, float*& out) {
    features::Scratch& s = *scratch_;
    const int ring = ring_px(config_, frame_);
    features::fill_patch(nucleus, s.box, ring, deconvolve_, s.patch);
    if (config_.intensity && ring > 0) {
        features::compute_ring(s.patch, frame_, out);
        out += features::ring_columns().size();
    }
    if (config_.intensity) {
        features::compute_intensity(s.patch, ring > 0, s.summarise, out);
        features::compute_weighted(s.patch, frame_,
                                   out += features::intensity_columns(ring > 0).size());
        out += features::weighted_columns().size();
    }
    if (config_.texture) add_texture(nucleus, out);
}

PixelRect FeatureExtractor::texture_rect(std::span<const PixelRun> runs) const {
    if (config_.brief || !config_.texture || texture_per_work_ == 1) return {};
    const int reach = has_ring_texture(config_) ? ring_px(config_, frame_) : 0;
    return features::TextureGrid{texture_per_work_}.around(box_of(runs).grown(reach));
}

/// Nucleus and ring, on work pixels or finer ones; the radial distribution is of work pixels.
void FeatureExtractor::add_texture(const NucleusPixels& nucleus, float*& out) {
    features::Scratch& s = *scratch_;
    const bool finer = texture_per_work_ != 1;
    const features::TextureGrid grid{texture_per_work_};
    const ConstRgbView rgb = finer ? nucleus.texture_rgb : nucleus.rgb;
    const PixelPoint origin = finer ? nucleus.texture_origin : nucleus.origin_work;
    const auto measure = [&](features::Patch::Part own, int64_t reach, size_t stain) {
        const bool own_pixels = finer || own != features::Patch::kNucleus;
        const features::Texture texture =
            rgb.empty()  ? features::Texture{}
            : own_pixels ? s.texture(s.patch, own, reach, grid, rgb, origin, deconvolve_, stain)
                         : features::nucleus_texture(s.patch);
        s.gradient(texture, s.values, out);
        s.haralick(texture, out += features::GradientFeatures::kColumns);
        out += features::HaralickFeatures::kColumns;
    };
    measure(features::Patch::kNucleus, 0, 0);
    features::compute_radial(s, out);
    out += features::radial_columns().size();
    if (has_ring_texture(config_)) measure(features::Patch::kRing, ring_px(config_, frame_), 1);
}

}  // namespace wsi
