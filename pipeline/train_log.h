#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/trainer.h"

namespace wsi {

struct StepRow {
    int64_t step = 0;  ///< from 1
    StepLoss loss;
    double learning_rate = 0;
};

struct EpochRow {
    int64_t epoch = 0, step = 0;       ///< from 1
    double loss = 0;                   ///< mean over the epoch's steps
    double dice = 0, pq = 0, aji = 0;  ///< means over the development images
};

/// steps.csv and log.csv of a run's folder. What was written after the step that a run goes on from
/// is dropped, so that every step stands there once. folder "": nothing is written.
class TrainLog {
public:
    TrainLog(const std::string& folder, int64_t step);
    /// Throws Error{Output} when the row cannot be written.
    void add(const StepRow& row);
    void add(const EpochRow& row);
    const std::vector<StepRow>& steps() const { return steps_; }
    const std::vector<EpochRow>& epochs() const { return epochs_; }
    /// Mean of the total loss over steps first + 1 … last, as far as they are known.
    double mean_loss(int64_t first, int64_t last) const;

private:
    std::string steps_file_, epochs_file_;
    std::vector<StepRow> steps_;
    std::vector<EpochRow> epochs_;
};

}  // namespace wsi
