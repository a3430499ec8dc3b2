#include "stages/nucleus_targets.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <unordered_map>

namespace wsi {

namespace {

struct Box {
    int64_t left = INT64_MAX, top = INT64_MAX, right = -1, bottom = -1;  ///< inclusive
};

/// Writes the normalised distance of one nucleus, computed in its box with a rim of one pixel.
void write_distance(const Image<uint32_t>& ids, uint32_t id, const Box& box, Image<float>& out) {
    const auto width = static_cast<int>(box.right - box.left + 3);
    const auto height = static_cast<int>(box.bottom - box.top + 3);
    cv::Mat inside(height, width, CV_8U), distance;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            // Beyond the image the nucleus is taken to go on.
            const int64_t u = std::clamp<int64_t>(box.left + x - 1, 0, ids.width() - 1);
            const int64_t v = std::clamp<int64_t>(box.top + y - 1, 0, ids.height() - 1);
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
                out(box.left + x - 1, box.top + y - 1) =
                    std::min(1.0F, distance.at<float>(y, x) / most);
}

}  // namespace

NucleusTargets nucleus_targets(const Image<uint32_t>& ids) {
    NucleusTargets targets{GrayImage(ids.width(), ids.height()),
                           Image<float>(ids.width(), ids.height())};
    std::unordered_map<uint32_t, Box> boxes;
    for (int64_t y = 0; y < ids.height(); ++y)
        for (int64_t x = 0; x < ids.width(); ++x) {
            const uint32_t id = ids(x, y);
            if (id == 0) continue;
            targets.nucleus(x, y) = 1;
            Box& box = boxes[id];
            box.left = std::min(box.left, x);
            box.right = std::max(box.right, x);
            box.top = std::min(box.top, y);
            box.bottom = std::max(box.bottom, y);
        }
    for (const auto& [id, box] : boxes) write_distance(ids, id, box, targets.distance);
    return targets;
}

}  // namespace wsi
