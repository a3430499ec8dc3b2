#include "io/datasets/resolution.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_map>

#include "io/area_resample.h"

namespace wsi {

LabelledImage at_resolution(const LabelledImage& image, double mpp) {
    if (image.entry.mpp <= 0 || std::abs(image.entry.mpp - mpp) < 1e-6) return image;
    const double ratio = mpp / image.entry.mpp;
    const auto side = [&](int64_t n) {
        return std::max<int64_t>(1, std::llround(static_cast<double>(n) / ratio));
    };
    LabelledImage out{image.entry, {}, {}, {}, {}};
    out.entry.mpp = mpp;
    const int64_t width = side(image.rgb.width()), height = side(image.rgb.height());
    out.rgb = RgbImage(width, height);
    out.labels = Image<uint32_t>(width, height);
    const ResampleAxis x(ratio, 0, width, image.rgb.width()),
        y(ratio, 0, height, image.rgb.height());
    resample(
        image.rgb.view().crop({x.begin(), y.begin(), x.end() - x.begin(), y.end() - y.begin()}), x,
        y, out.rgb);
    const auto nearest = [&](int64_t i, int64_t size) {
        return std::min(size - 1, static_cast<int64_t>((static_cast<double>(i) + 0.5) * ratio));
    };
    for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column)
            out.labels(column, row) = image.labels(nearest(column, image.labels.width()),
                                                   nearest(row, image.labels.height()));
    return out;
}

double guess_mpp(const Image<uint32_t>& ids, double diameter_um) {
    std::unordered_map<uint32_t, int64_t> areas;
    for (int64_t i = 0; i < ids.size().area(); ++i)
        if (ids.data()[i] > 0) ++areas[ids.data()[i]];
    if (areas.empty()) return 0;
    std::vector<int64_t> sorted;
    for (const auto& [id, area] : areas) sorted.push_back(area);
    std::sort(sorted.begin(), sorted.end());
    const auto median = static_cast<double>(sorted[sorted.size() / 2]);
    return diameter_um / std::sqrt(4 * median / std::numbers::pi);
}

}  // namespace wsi
