#pragma once

#include <map>
#include <memory>
#include <mutex>
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
    std::vector<TrainingImage> development;  ///< organs in train.development, or one fold
};

/// Reads the images of `folders` whose split is `train` or empty, resampled to train.mpp; an
/// unknown resolution is guessed from the nuclei's size. With train.folds the development part is
/// every folds-th source image of a fixed shuffle, so that all seeds see the same folds and no
/// source is on both sides. An image that cannot be read is named and left out, up to one in a
/// hundred. Throws Error{Config} when more are, or when one of the parts is empty.
TrainingSet read_training_set(const std::vector<std::string>& folders, const Config& config);

/// As a scanner would show it, glass nearly white, what a camera took at half of the range.
RgbImage as_scanned(const RgbImage& rgb);

/// Endless, seekable supply of patches: a pure function of (run.seed, epoch, index). May be asked
/// by several threads at once.
class PatchSource {
public:
    PatchSource(const std::vector<TrainingImage>& images, const Config& config);
    int64_t steps_per_epoch() const;
    /// The sample of a number that counts through all epochs, steps_per_epoch() batches each.
    TrainingPatch sample(int64_t number) const;
    std::vector<TrainingPatch> batch(int64_t epoch, int64_t step) const;

private:
    using Order = std::shared_ptr<const std::vector<size_t>>;
    TrainingPatch patch(int64_t epoch, int64_t index, size_t image) const;
    Order order_of(int64_t epoch) const;
    /// Images of an epoch in the order shown: drawn by their weights, then shuffled.
    std::vector<size_t> order(int64_t epoch) const;
    const std::vector<TrainingImage>& images_;
    const Config& config_;
    std::vector<double> weights_;  ///< running sum over the images
    mutable std::mutex mutex_;
    mutable std::map<int64_t, Order> orders_;  ///< of the epochs asked for last
};

}  // namespace wsi
