#pragma once

#include <string>

#include "pipeline/train_log.h"
#include "stages/augment.h"

namespace wsi {

/// A page about a training run in one file, made anew after every epoch: curves of losses and
/// scores, and what was found on two development images, epoch by epoch. The pictures are kept in
/// `<folder>/samples/`, so that a continued run shows the earlier ones too.
class TrainPage {
public:
    TrainPage(std::string folder, std::string settings);
    /// Keeps the picture of sample `sample` (0 or 1) of an epoch: the image's middle, and beside it
    /// the same with outlines of hits, misses and false nuclei.
    void add_sample(int64_t epoch, int sample, const RgbImage& rgb, const LabelImage& truth,
                    const LabelImage& found) const;
    /// Writes `<folder>/progress.html`. Throws Error{Output}.
    void write(const TrainLog& log, int64_t best_epoch) const;

    static constexpr int kSamples = 2;

private:
    std::string sample_file(int64_t epoch, int sample) const;
    std::string folder_, settings_;
};

}  // namespace wsi
