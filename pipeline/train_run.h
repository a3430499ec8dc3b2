#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/trainer.h"
#include "pipeline/run_status.h"

namespace wsi {

struct TrainJob {
    std::vector<std::string> folders;  ///< data sets (images/ + labels/)
    std::string output;                ///< folder: checkpoint, best and last weights, log, page
    std::string from;                  ///< weights to start from; empty = random
    int64_t max_steps = 0;             ///< stop after so many (0 = never); for tests
};

struct TrainReport {
    bool finished = false;  ///< false: stopped by a signal or max_steps; resumable
    int64_t steps = 0;
    double best_score = 0;  ///< train.choose_by of the development images
};

using MakeTrainer = std::function<std::unique_ptr<Trainer>(const Config&)>;
/// The network library's, which is loaded for it.
std::unique_ptr<Trainer> library_trainer(const Config& config);

/// Trains, or goes on from the checkpoint in `job.output`. Patches are made ahead by a flow graph
/// (pipeline/training_stream.h); weights are kept by their score on the development images. Throws
/// Error{Device} when the loss or the gradient is not finite, Error{Output} when the disk is full;
/// the last good checkpoint and weights stay.
TrainReport run_training(const TrainJob& job, const Config& config,
                         const std::atomic<StopRequest>& stop,
                         const MakeTrainer& make_trainer = library_trainer);

}  // namespace wsi
