#pragma once

#include <array>
#include <map>
#include <span>
#include <vector>

#include "stages/metrics.h"

namespace wsi {

/// `labels` where the pixel's class is `which`, else 0. classes: [H, W] uint8 of the labels' size,
/// 0 = none.
Image<uint32_t> labels_of_class(const Image<uint32_t>& labels, const GrayImage& classes,
                                uint8_t which);

/// Pixels of each nucleus by their class, 0 = none; of pixels at least `margin_px` away from the
/// image's border.
std::map<uint32_t, std::array<int64_t, 256>> pixels_by_class(const Image<uint32_t>& labels,
                                                             const GrayImage& classes,
                                                             int64_t margin_px = 0);

/// How many nuclei of each class 1 … `classes_there_are` an image holds. A nucleus has the class of
/// most of its pixels, of equals the lowest; one without a class does not count. Only pixels at
/// least `margin_px` away from the border are looked at (CoNIC counts in the middle 224 of 256 px).
std::vector<int64_t> nuclei_per_class(const Image<uint32_t>& labels, const GrayImage& classes,
                                      int classes_there_are, int64_t margin_px = 0);

/// 1 - sum of squared errors / sum of squared deviations of the truth, as scikit-learn's r2_score:
/// for a constant truth 1 when nothing is wrong, else 0. NaN below two values.
double determination(std::span<const double> truth, std::span<const double> found);

}  // namespace wsi
