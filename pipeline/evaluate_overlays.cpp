#include "pipeline/evaluate_overlays.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "io/picture.h"
#include "stages/overlay.h"

namespace wsi {

std::vector<RankedImage> images_to_show(const std::vector<ImageScore>& scores,
                                        const std::string& predictor) {
    std::vector<RankedImage> all, with_nuclei;
    for (const ImageScore& score : scores) {
        if (score.predictor != predictor) continue;
        all.push_back({"", all.size(), std::isnan(score.values.pq) ? 1 : score.values.pq});
        if (score.counts.truth > 0) with_nuclei.push_back(all.back());
    }
    std::vector<RankedImage>& ranked = with_nuclei.empty() ? all : with_nuclei;
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const RankedImage& a, const RankedImage& b) { return a.pq > b.pq; });
    if (ranked.empty()) return {};
    std::vector<RankedImage> shown;
    const auto show = [&](const char* rank, size_t place) {
        shown.push_back(ranked[place]);
        shown.back().rank = rank;
    };
    show("best", 0);
    if (ranked.size() > 2) show("median", ranked.size() / 2);
    if (ranked.size() > 1) show("worst", ranked.size() - 1);
    return shown;
}

void write_overlay(const std::string& folder, const RankedImage& ranked,
                   const std::string& predictor, const LabelledImage& image,
                   const Image<uint32_t>& found) {
    const int64_t w = image.rgb.width(), h = image.rgb.height();
    RgbImage pair(2 * w, h);
    copy_pixels(image.rgb.view(), pair.view().crop({0, 0, w, h}));
    const RgbImage overlay = error_overlay(image.rgb.view(), image.labels.view(), found.view());
    copy_pixels(overlay.view(), pair.view().crop({w, 0, w, h}));
    const std::string name = std::filesystem::path(predictor).filename().string();
    write_rgb_picture(
        (std::filesystem::path(folder) / (name + "-" + ranked.rank + ".png")).string(),
        pair.view());
}

}  // namespace wsi
