#pragma once

#include <chrono>
#include <cstdint>

#include "model/trainer.h"

namespace wsi {

/// Progress of a training run with the time that is left: one line on a terminal, else a log line
/// every 30 s. Shown between steps, so that it needs no thread.
class TrainProgress {
public:
    TrainProgress(int64_t step, int64_t steps);
    ~TrainProgress();
    TrainProgress(const TrainProgress&) = delete;
    TrainProgress& operator=(const TrainProgress&) = delete;
    /// After step `step`; waited_s: how long the trainer has waited for patches in all.
    void step(int64_t step, const StepLoss& loss, double waited_s);
    double minutes_since_checkpoint() const;
    void checkpoint_made();

private:
    using Clock = std::chrono::steady_clock;
    const int64_t first_, steps_;
    const bool quiet_, terminal_;
    double smooth_loss_ = 0;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point shown_ = start_, saved_ = start_;
};

}  // namespace wsi
