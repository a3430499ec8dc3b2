#include "stages/nucleus_targets.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace wsi {

namespace {

/// Writes the normalised distance of one nucleus, computed in its box with a rim of one pixel.
void write_distance(const Image<uint32_t>& ids, uint32_t id, const PixelRect& box,
                    Image<float>& out) {
    const auto width = static_cast<int>(box.width + 2);
    const auto height = static_cast<int>(box.height + 2);
    cv::Mat inside(height, width, CV_8U), distance;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            // Beyond the image the nucleus is taken to go on.
            const int64_t u = std::clamp<int64_t>(box.x + x - 1, 0, ids.width() - 1);
            const int64_t v = std::clamp<int64_t>(box.y + y - 1, 0, ids.height() - 1);
            inside.at<uint8_t>(y, x) = ids(u, v) == id ? 255 : 0;
        }
    cv::distanceTransform(inside, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
    float most = 0;
    for (int y = 1; y < height - 1; ++y)
        for (int x = 1; x < width - 1; ++x)
            if (inside.at<uint8_t>(y, x)) most = std::max(most, distance.at<float>(y, x));
    for (int y = 1; y < height - 1; ++y)
        for (int x = 1; x < width - 1; ++x)
            if (inside.at<uint8_t>(y, x))
                out(box.x + x - 1, box.y + y - 1) = std::min(1.0F, distance.at<float>(y, x) / most);
}

}  // namespace

std::map<uint32_t, PixelRect> nucleus_boxes(const Image<uint32_t>& ids) {
    std::map<uint32_t, PixelRect> boxes;
    for (int64_t y = 0; y < ids.height(); ++y)
        for (int64_t x = 0; x < ids.width(); ++x) {
            const uint32_t id = ids(x, y);
            if (id == 0) continue;
            PixelRect& box = boxes.try_emplace(id, PixelRect{x, y, 1, 1}).first->second;
            const int64_t left = std::min(box.x, x), right = std::max(box.right(), x + 1);
            box = {left, box.y, right - left, y + 1 - box.y};  // rows come from the top
        }
    return boxes;
}

NucleusTargets nucleus_targets(const Image<uint32_t>& ids) {
    NucleusTargets targets{GrayImage(ids.width(), ids.height()),
                           Image<float>(ids.width(), ids.height())};
    for (int64_t i = 0; i < ids.size().area(); ++i)
        targets.nucleus.data()[i] = ids.data()[i] != 0 ? 1 : 0;
    for (const auto& [id, box] : nucleus_boxes(ids)) write_distance(ids, id, box, targets.distance);
    return targets;
}

}  // namespace wsi
