#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "stages/augment.h"

namespace wsi {

/// One image to learn from, at the training resolution.
struct TrainingImage {
    std::string name, organ;
    RgbImage rgb;
    RgbImage normalised;  ///< empty when no stain fit was accepted
    LabelImage ids;
    StainMatrix stains = kReferenceHe;
};

struct TrainingSet {
    std::vector<TrainingImage> train;
    std::vector<TrainingImage> development;  ///< organs named in train.development
};

/// Reads the images of `folders` whose split is `train` or empty, resampled to train.mpp; an
/// unknown resolution is guessed from the nuclei's size. Throws Error{Config} when one is empty.
TrainingSet read_training_set(const std::vector<std::string>& folders, const Config& config);

/// As a scanner would show it, glass nearly white, what a camera took at half of the range.
RgbImage as_scanned(const RgbImage& rgb);

/// Endless, seekable supply of patches: a pure function of (run.seed, epoch, index).
class PatchSource {
public:
    PatchSource(const std::vector<TrainingImage>& images, const Config& config);
    int64_t steps_per_epoch() const;
    std::vector<TrainingPatch> batch(int64_t epoch, int64_t step) const;

private:
    TrainingPatch patch(int64_t epoch, int64_t index, size_t image) const;
    /// Images of an epoch in the order shown: drawn by their weights, then shuffled.
    std::vector<size_t> order(int64_t epoch) const;
    const std::vector<TrainingImage>& images_;
    const Config& config_;
    std::vector<double> weights_;  ///< running sum over the images
};

}  // namespace wsi
