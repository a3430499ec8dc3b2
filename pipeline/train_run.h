#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/run_status.h"

namespace wsi {

struct TrainJob {
    std::vector<std::string> folders;  ///< data sets (images/ + labels/)
    std::string output;                ///< folder: checkpoint, best and last weights, log.csv
    std::string from;                  ///< weights to start from; empty = random
    int64_t max_steps = 0;             ///< stop after so many (0 = never); for tests
};

struct TrainReport {
    bool finished = false;  ///< false: stopped by a signal or max_steps; resumable
    int64_t steps = 0;
    double best_pq = 0;
};

/// Trains, or goes on from the checkpoint in `job.output`. Weights are kept by PQ on the
/// development images. Throws Error{Device} when the loss is not finite; the last good weights
/// stay.
TrainReport run_training(const TrainJob& job, const Config& config,
                         const std::atomic<StopRequest>& stop);

}  // namespace wsi
