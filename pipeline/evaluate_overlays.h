#pragma once

#include <string>
#include <vector>

#include "pipeline/evaluate.h"

namespace wsi {

/// An image worth looking at, by its PQ among those of one predictor.
struct RankedImage {
    std::string rank;  ///< "best", "median" or "worst"
    size_t index = 0;  ///< among the predictor's scores, in their order
    double pq = 0;
};

/// Best, median and worst; fewer when there are fewer images. Equal scores: the earlier image.
/// Images without true nuclei show nothing and are left out unless there are no others.
std::vector<RankedImage> images_to_show(const std::vector<ImageScore>& scores,
                                        const std::string& predictor);

/// `<folder>/<predictor>-<rank>.png`: the image, and right of it the same with outlines
/// (stages/overlay.h).
void write_overlay(const std::string& folder, const RankedImage& ranked,
                   const std::string& predictor, const LabelledImage& image,
                   const Image<uint32_t>& found);

}  // namespace wsi
