#pragma once

#include <vector>

#include "model/trainer.h"
#include "pipeline/training_set.h"

namespace wsi {

/// What a network says about one image, and the truth.
struct PredictedImage {
    GrayImage probability, distance;
    const LabelImage* truth = nullptr;
};

struct Score {
    double dice = 0, pq = 0, aji = 0;  ///< means over images
};

/// Separates every image's maps and compares with the truth. mpp: of the maps.
Score score_separation(const SeparateConfig& settings, const std::vector<PredictedImage>& images,
                       double mpp);

struct TunedSeparation {
    SeparateConfig settings;
    Score score;
};

/// The settings with the best mean PQ that changing one setting at a time finds, from `start`:
/// threshold, marker depth, smoothing and smallest area on fixed grids, until none gets better.
TunedSeparation tune_separation(const SeparateConfig& start,
                                const std::vector<PredictedImage>& images, double mpp);

}  // namespace wsi
