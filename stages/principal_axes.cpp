#include "stages/principal_axes.h"

#include <cmath>
#include <opencv2/core.hpp>

#include "config/error.h"

namespace wsi {

std::vector<std::array<double, 2>> principal_places(
    const std::vector<std::vector<float>>& vectors) {
    std::vector<std::array<double, 2>> places(vectors.size());
    if (vectors.size() < 2) return places;
    const auto rows = static_cast<int>(vectors.size()),
               columns = static_cast<int>(vectors.front().size());
    cv::Mat values(rows, columns, CV_64F);
    for (int i = 0; i < rows; ++i) {
        const std::vector<float>& v = vectors[static_cast<size_t>(i)];
        WSI_CHECK(std::ssize(v) == columns, v.size(), " values, ", columns, " expected");
        std::copy(v.begin(), v.end(), values.ptr<double>(i));
    }
    const cv::PCA axes(values, cv::noArray(), cv::PCA::DATA_AS_ROW, 2);
    const cv::Mat found = axes.project(values);
    for (int axis = 0; axis < found.cols; ++axis) {
        double largest = 0;
        for (int i = 0; i < rows; ++i)
            if (const double v = found.at<double>(i, axis); std::abs(v) > std::abs(largest))
                largest = v;
        for (int i = 0; i < rows; ++i)
            places[static_cast<size_t>(i)][static_cast<size_t>(axis)] =
                std::copysign(1.0, largest) * found.at<double>(i, axis);
    }
    return places;
}

}  // namespace wsi
