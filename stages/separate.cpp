#include "stages/separate.h"

#include <algorithm>
#include <cmath>

#include "stages/separate_steps.h"

namespace wsi {

using separation::Connectivity;
using separation::Height;
using separation::Marker;

namespace {
/// Depth in the mask at which heights end. The default h = 0.08 is 0.5 µm of it, one pixel at 0.5
/// µm per pixel, which is what served best there (h-maxima of a Euclidean distance, h = 1 px).
constexpr double kFullDepthUm = 6.4;
}  // namespace

SeparateParams SeparateParams::from(const SeparateConfig& config, const WorkFrame& frame,
                                    Depth depth) {
    const double mpp = frame.mpp();
    const auto px = [mpp](double um) { return static_cast<int>(std::lround(um / mpp)); };
    const auto area = [&frame](double um2) {
        return static_cast<int>(std::lround(um2 / frame.px_area_um2()));
    };
    SeparateParams p;
    p.threshold = static_cast<uint8_t>(std::clamp(std::lround(config.threshold * 255), 1L, 255L));
    p.smoothing_sigma = config.smoothing_um / mpp;
    p.smoothing_radius = static_cast<int>(std::ceil(2 * p.smoothing_sigma));
    p.h = static_cast<uint8_t>(std::clamp(std::lround(config.h * 255), 0L, 255L));
    p.min_area_px = std::max(1, area(config.min_area_um2));
    p.hole_area_px = area(config.hole_area_um2);
    // A hole of that area is hardly ever longer than twice the side of a square of it.
    p.hole_side_px =
        static_cast<int>(std::lround(2 * std::sqrt(static_cast<double>(p.hole_area_px))));
    p.reach_px = std::max(2, px(config.reach_um));
    p.marker_reach_px = std::max(1, 5 * p.reach_px / 7);
    if (depth == Depth::OfMask) p.depth_reach_px = std::clamp(px(kFullDepthUm), 2, 255);
    return p;
}

// A nucleus lies in the N-box of its marker (N = reach_px), and so does its centroid, so each of
// its pixels is at most 2N from the centroid. Contours look at labels one pixel further. Such a
// label holds only if the piece test of its nucleus (any pixel of its N-box, so 2N away; filled
// holes one more) is right, which rests on flood states that depend on N around them, which rest on
// markers (marker_reach + 1), heights (smoothing_radius, and depth_reach when they come from the
// mask) and the mask (hole_side + 1).
int SeparateParams::halo_px() const {
    const int labels = 2 * reach_px + 1;
    const int pieces = 2 * reach_px + 1;
    const int flood = reach_px;
    const int markers = marker_reach_px + 1;
    return labels + pieces + flood + markers + smoothing_radius + depth_reach_px + hole_side_px + 1;
}

struct SeparateScratch {
    GrayImage mask, depth;
    Image<Height> heights;
    separation::Flood flood;
};

Separator::Separator(const SeparateParams& params)
    : params_(params), scratch_(std::make_unique<SeparateScratch>()) {}

Separator::~Separator() = default;

void Separator::reserve(PixelSize size) {
    scratch_->mask.resize(size.width, size.height);
    scratch_->heights.resize(size.width, size.height);
    if (params_.depth_reach_px > 0) scratch_->depth.resize(size.width, size.height);
}

namespace {

void threshold_mask(ConstGrayView probability, uint8_t threshold, GrayView mask) {
    for (int64_t y = 0; y < mask.height; ++y) {
        const uint8_t* from = probability.row(y);
        uint8_t* to = mask.row(y);
        for (int64_t x = 0; x < mask.width; ++x) to[x] = from[x] >= threshold ? 1 : 0;
    }
}

/// 1 for every label that still had somewhere to go when the flood ended.
std::vector<uint8_t> find_cut(ImageView<const Height> heights, ImageView<const uint32_t> labels,
                              size_t count) {
    std::vector<uint8_t> cut(count + 1, 0);
    for (int64_t y = 0; y < labels.height; ++y) {
        const Height* height = heights.row(y);
        const uint32_t* label = labels.row(y);
        uint32_t left = 0;  // few rows have pixels that no flood reached
        for (int64_t x = 0; x < labels.width; ++x) left |= (height[x] != 0) & (label[x] == 0);
        for (int64_t x = left != 0 ? 0 : labels.width; x < labels.width; ++x) {
            if (height[x] == 0 || label[x] != 0) continue;
            for (int64_t ny = std::max<int64_t>(0, y - 1); ny <= std::min(labels.height - 1, y + 1);
                 ++ny)
                for (int64_t nx = std::max<int64_t>(0, x - 1);
                     nx <= std::min(labels.width - 1, x + 1); ++nx)
                    cut[labels(nx, ny)] = 1;
        }
    }
    cut[0] = 0;
    return cut;
}

}  // namespace

Separator::Result Separator::operator()(ConstGrayView probability, ConstGrayView distance,
                                        ImageView<uint32_t> labels) const {
    const bool of_mask = params_.depth_reach_px > 0;
    WSI_CHECK(probability.size() == labels.size() &&
              (of_mask ? distance.empty() : distance.size() == labels.size()));
    SeparateScratch& s = *scratch_;
    s.mask.resize(labels.width, labels.height);
    s.heights.resize(labels.width, labels.height);
    threshold_mask(probability, params_.threshold, s.mask);
    separation::fill_holes(s.mask.view(), params_.hole_side_px, params_.hole_area_px,
                           Connectivity::Four);
    if (of_mask) {
        s.depth.resize(labels.width, labels.height);
        separation::mask_depth(s.mask.view(), params_.depth_reach_px, s.depth.view());
        distance = s.depth.view();
    }
    separation::smooth_heights(s.mask.view(), distance, params_.smoothing_radius,
                               std::max(params_.smoothing_sigma, 1e-3), s.heights.view());
    const std::vector<Marker> markers = separation::find_markers(
        s.heights.view(), params_.h * separation::kHeightScale, params_.marker_reach_px);
    s.flood(s.heights.view(), markers, params_.reach_px, labels);
    Result result;
    result.count = static_cast<uint32_t>(markers.size());
    result.cut = find_cut(s.heights.view(), labels, markers.size());
    separation::keep_marker_pieces(markers, params_.min_area_px, labels);
    separation::fill_holes(labels, 2 * params_.reach_px + 1, INT64_MAX, Connectivity::Eight);
    return result;
}

}  // namespace wsi
