#pragma once

#include <cstdint>

#include "config/config.h"

namespace wsi {

/// Learning rate of step `step` (from 0) of `steps`: linear warm-up to its peak, then train.decay:
/// half a cosine down to a hundredth of the peak, a polynomial of power 0.9 down to 0, or constant.
double learning_rate(const TrainConfig& config, int64_t step, int64_t steps);

/// Which epoch was best so far, and whether waiting for a better one has become hopeless.
class BestEpoch {
public:
    BestEpoch() = default;
    BestEpoch(double score, int64_t epoch) : score_(score), epoch_(epoch) {}
    /// True when the score is better than all before; a score of 0 never is.
    bool offer(double score, int64_t epoch);
    bool hopeless(int64_t epoch, int patience) const {
        return patience > 0 && epoch - epoch_ >= patience;
    }
    double score() const { return score_; }
    int64_t epoch() const { return epoch_; }

private:
    double score_ = 0;
    int64_t epoch_ = 0;
};

}  // namespace wsi
