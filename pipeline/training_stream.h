#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "stages/augment.h"

namespace wsi {

/// Supplies training batches in order, made ahead by a flow graph of its own:
///
///   source (serial) ─► admit ─► make (parallel) ─► sequence ─► batch (serial) ─► next()
///                        ▲ free tokens ◄──────────────────────────────────────────┘
///
/// What a sample is depends on its number alone, and batches come in the order of numbers: the same
/// for 1 and 8 workers. Tokens bound how many samples exist beside the batch handed out.
class TrainingStream {
public:
    struct Options {
        int64_t first = 0;  ///< number of the first sample
        int64_t last = 0;   ///< one past the last; (last - first) is a multiple of batch
        int batch = 1;
        int workers = 1;
        int batches_ahead = 3;  ///< how many batches may wait for the trainer
    };
    /// Called by several workers at once, once per number.
    using Make = std::function<TrainingPatch(int64_t sample)>;

    TrainingStream(const Options& options, Make make);
    ~TrainingStream();  ///< drops what is not taken; samples being made are finished first
    TrainingStream(const TrainingStream&) = delete;
    TrainingStream& operator=(const TrainingStream&) = delete;

    /// The next batch; waits for it. Throws what `make` threw. Call it (last - first) / batch times
    /// at most.
    std::vector<TrainingPatch> next();
    /// Seconds that next() has waited in all.
    double waited_s() const { return waited_s_; }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    double waited_s_ = 0;
};

}  // namespace wsi
