#include "stages/class_metrics.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "config/error.h"

namespace wsi {

Image<uint32_t> labels_of_class(const Image<uint32_t>& labels, const GrayImage& classes,
                                uint8_t which) {
    WSI_CHECK(labels.size() == classes.size(), labels.width(), " ", classes.width());
    Image<uint32_t> out = labels;
    for (int64_t i = 0; i < out.size().area(); ++i)
        if (classes.data()[i] != which) out.data()[i] = 0;
    return out;
}

std::map<uint32_t, std::array<int64_t, 256>> pixels_by_class(const Image<uint32_t>& labels,
                                                             const GrayImage& classes,
                                                             int64_t margin_px) {
    WSI_CHECK(labels.size() == classes.size(), labels.width(), " ", classes.width());
    std::map<uint32_t, std::array<int64_t, 256>> pixels;
    for (int64_t y = margin_px; y < labels.height() - margin_px; ++y)
        for (int64_t x = margin_px; x < labels.width() - margin_px; ++x)
            if (const uint32_t id = labels(x, y); id != 0) ++pixels[id][classes(x, y)];
    return pixels;
}

std::vector<int64_t> nuclei_per_class(const Image<uint32_t>& labels, const GrayImage& classes,
                                      int classes_there_are, int64_t margin_px) {
    std::vector<int64_t> counts(static_cast<size_t>(classes_there_are));
    for (const auto& [id, of] : pixels_by_class(labels, classes, margin_px)) {
        const std::span known = std::span(of).subspan(1, counts.size());
        const auto most = std::ranges::max_element(known);
        if (most != known.end() && *most > 0) ++counts[static_cast<size_t>(most - known.begin())];
    }
    return counts;
}

double determination(std::span<const double> truth, std::span<const double> found) {
    WSI_CHECK(truth.size() == found.size(), truth.size(), " ", found.size());
    if (truth.size() < 2) return std::numeric_limits<double>::quiet_NaN();
    const double mean =
        std::accumulate(truth.begin(), truth.end(), 0.0) / static_cast<double>(truth.size());
    double errors = 0, deviations = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
        errors += (truth[i] - found[i]) * (truth[i] - found[i]);
        deviations += (truth[i] - mean) * (truth[i] - mean);
    }
    if (deviations > 0) return 1 - errors / deviations;
    return errors > 0 ? 0 : 1;
}

}  // namespace wsi
