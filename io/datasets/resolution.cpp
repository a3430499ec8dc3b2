#include "io/datasets/resolution.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_map>

#include "io/area_resample.h"

namespace wsi {

namespace {

template <class T>
Image<T> nearest(const Image<T>& from, PixelSize size, double ratio) {
    const auto source = [&](int64_t i, int64_t limit) {
        return std::min(limit - 1, static_cast<int64_t>((static_cast<double>(i) + 0.5) * ratio));
    };
    Image<T> out;
    if (from.empty()) return out;
    out.resize(size.width, size.height);
    for (int64_t y = 0; y < size.height; ++y)
        for (int64_t x = 0; x < size.width; ++x)
            out(x, y) = from(source(x, from.width()), source(y, from.height()));
    return out;
}

}  // namespace

LabelledImage at_resolution(const LabelledImage& image, double mpp) {
    if (image.entry.mpp <= 0 || std::abs(image.entry.mpp - mpp) < 1e-6) return image;
    const double ratio = mpp / image.entry.mpp;
    const auto side = [&](int64_t n) {
        return std::max<int64_t>(1, std::llround(static_cast<double>(n) / ratio));
    };
    LabelledImage out;
    out.entry = image.entry;
    out.entry.mpp = mpp;
    const PixelSize size{side(image.rgb.width()), side(image.rgb.height())};
    out.rgb = RgbImage(size.width, size.height);
    const ResampleAxis x(ratio, 0, size.width, image.rgb.width()),
        y(ratio, 0, size.height, image.rgb.height());
    resample(
        image.rgb.view().crop({x.begin(), y.begin(), x.end() - x.begin(), y.end() - y.begin()}), x,
        y, out.rgb);
    out.labels = nearest(image.labels, size, ratio);
    out.classes = nearest(image.classes, size, ratio);
    out.vague = nearest(image.vague, size, ratio);
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
