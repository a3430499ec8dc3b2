#include "stages/offset_maps.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <unordered_map>

namespace wsi {

namespace {

struct Extent {
    int64_t left = INT64_MAX, top = INT64_MAX, right = -1, bottom = -1;  ///< inclusive
    int64_t area = 0, sum_x = 0, sum_y = 0;
    /// The nearest whole pixel to the centre of mass.
    int64_t centre_x() const { return (2 * sum_x + area) / (2 * area); }
    int64_t centre_y() const { return (2 * sum_y + area) / (2 * area); }
};

std::unordered_map<uint32_t, Extent> extents(ImageView<const uint32_t> labels) {
    std::unordered_map<uint32_t, Extent> found;
    for (int64_t y = 0; y < labels.height; ++y)
        for (int64_t x = 0; x < labels.width; ++x) {
            if (labels(x, y) == 0) continue;
            Extent& e = found[labels(x, y)];
            e.left = std::min(e.left, x);
            e.right = std::max(e.right, x);
            e.top = std::min(e.top, y);
            e.bottom = std::max(e.bottom, y);
            ++e.area;
            e.sum_x += x;
            e.sum_y += y;
        }
    return found;
}

/// -1 at `low`, 0 at `centre`, 1 at `high`; each half has its own scale.
float share(int64_t at, int64_t low, int64_t centre, int64_t high) {
    const int64_t extent = at < centre ? centre - low : high - centre;
    return extent == 0 ? 0.0F : static_cast<float>(at - centre) / static_cast<float>(extent);
}

}  // namespace

OffsetMaps nucleus_offsets(ImageView<const uint32_t> labels) {
    OffsetMaps maps{Image<float>(labels.width, labels.height),
                    Image<float>(labels.width, labels.height)};
    const auto found = extents(labels);
    for (int64_t y = 0; y < labels.height; ++y)
        for (int64_t x = 0; x < labels.width; ++x) {
            if (labels(x, y) == 0) continue;
            const Extent& e = found.at(labels(x, y));
            maps.horizontal(x, y) = share(x, e.left, e.centre_x(), e.right);
            maps.vertical(x, y) = share(y, e.top, e.centre_y(), e.bottom);
        }
    return maps;
}

namespace {

/// Sobel's kernels as HoVer-Net has them, scaled so that a slope of 1 per pixel answers 1.
struct Kernels {
    cv::Mat along, across;
};
Kernels kernels(int side) {
    Kernels k;
    cv::getDerivKernels(k.along, k.across, 1, 0, side, true, CV_32F);
    return k;
}

cv::Mat1f wrapped(ImageView<const float> map) {
    // OpenCV has no constant views; the filter only reads.
    return {static_cast<int>(map.height), static_cast<int>(map.width), const_cast<float*>(map.data),
            static_cast<size_t>(map.stride) * sizeof(float)};
}

}  // namespace

OffsetDistance::OffsetDistance(double mpp)
    : filter_px_(std::clamp(2 * static_cast<int>(std::lround(2.5 / mpp)) + 1, 5, 31)) {
    const Kernels k = kernels(filter_px_);
    float answer = 0;  // to a step that has reached the i-th tap
    for (int i = 0; i < k.along.rows; ++i) {
        answer += k.along.at<float>(i);
        jump_ = std::max(jump_, std::abs(answer));
    }
}

int OffsetDistance::reach_px() const { return filter_px_ / 2; }

void OffsetDistance::operator()(ImageView<const float> horizontal, ImageView<const float> vertical,
                                GrayView out) const {
    WSI_CHECK(horizontal.size() == vertical.size() && out.size() == vertical.size());
    if (out.empty()) return;
    const Kernels k = kernels(filter_px_);
    cv::Mat1f slope_h, slope_v;
    cv::sepFilter2D(wrapped(horizontal), slope_h, CV_32F, k.along, k.across);
    cv::sepFilter2D(wrapped(vertical), slope_v, CV_32F, k.across, k.along);
    for (int64_t y = 0; y < out.height; ++y) {
        const float *dh = slope_h[static_cast<int>(y)], *dv = slope_v[static_cast<int>(y)];
        for (int64_t x = 0; x < out.width; ++x) {
            const float fall = std::max(0.0F, -std::min(dh[x], dv[x]) / jump_);
            const float calm = 1 - std::min(1.0F, fall);
            const float off = std::max(std::abs(horizontal(x, y)), std::abs(vertical(x, y)));
            const float middle = 1 - std::min(1.0F, off);
            out(x, y) = static_cast<uint8_t>(std::lround(255 * calm * (0.5F + 0.5F * middle)));
        }
    }
}

}  // namespace wsi
