#include "stages/label_maps.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <unordered_map>

namespace wsi {

namespace {

std::vector<int64_t> source_indices(int64_t count, int64_t available, double input_per_output) {
    std::vector<int64_t> from(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
        const double centre = (static_cast<double>(i) + 0.5) * input_per_output;
        from[static_cast<size_t>(i)] = std::min(static_cast<int64_t>(centre), available - 1);
    }
    return from;
}

std::unordered_map<uint32_t, PixelRect> boxes(ImageView<const uint32_t> labels) {
    std::unordered_map<uint32_t, PixelRect> found;
    for (int64_t y = 0; y < labels.height; ++y)
        for (int64_t x = 0, end; x < labels.width; x = end) {
            const uint32_t id = labels(x, y);
            for (end = x + 1; end < labels.width && labels(end, y) == id;) ++end;
            if (id == 0) continue;
            PixelRect& box = found[id];
            box = bounding(box, {x, y, end - x, 1});
        }
    return found;
}

void add_nucleus(ImageView<const uint32_t> labels, uint32_t id, const PixelRect& box,
                 GrayView out) {
    const PixelRect rect = intersection(box.grown(1), {0, 0, labels.width, labels.height});
    cv::Mat1b own(static_cast<int>(rect.height), static_cast<int>(rect.width));
    for (int y = 0; y < own.rows; ++y)
        for (int x = 0; x < own.cols; ++x) own(y, x) = labels(rect.x + x, rect.y + y) == id;
    cv::Mat1f distance;
    cv::distanceTransform(own, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
    double greatest = 0;
    cv::minMaxLoc(distance, nullptr, &greatest);
    for (int y = 0; y < own.rows; ++y)
        for (int x = 0; x < own.cols; ++x)
            if (own(y, x))
                out(rect.x + x, rect.y + y) = static_cast<uint8_t>(
                    std::lround(255 * std::min(1.0, distance(y, x) / greatest)));
}

}  // namespace

Image<uint32_t> resample_labels(ImageView<const uint32_t> labels, PixelSize size,
                                double input_per_output) {
    WSI_CHECK(!labels.empty() || size.area() == 0);
    const auto rows = source_indices(size.height, labels.height, input_per_output);
    const auto columns = source_indices(size.width, labels.width, input_per_output);
    Image<uint32_t> out;
    out.resize(size.width, size.height);
    for (int64_t y = 0; y < size.height; ++y)
        for (int64_t x = 0; x < size.width; ++x)
            out(x, y) = labels(columns[static_cast<size_t>(x)], rows[static_cast<size_t>(y)]);
    return out;
}

GrayImage nucleus_distance_map(ImageView<const uint32_t> labels) {
    GrayImage out(labels.width, labels.height, 0);
    for (const auto& [id, box] : boxes(labels)) add_nucleus(labels, id, box, out.view());
    return out;
}

GrayImage nucleus_mask(ImageView<const uint32_t> labels) {
    GrayImage out(labels.width, labels.height, 0);
    for (int64_t y = 0; y < labels.height; ++y)
        for (int64_t x = 0; x < labels.width; ++x) out(x, y) = labels(x, y) != 0 ? 255 : 0;
    return out;
}

}  // namespace wsi
