#pragma once

#include <atomic>

#include "pipeline/run_status.h"

namespace wsi {

/// SIGINT, SIGTERM and SIGUSR1 (Slurm's warning): the first finishes what is in flight, the second
/// drops it, the third ends the process with exit code 130. The handlers stay for the life of the
/// process.
std::atomic<StopRequest>& install_stop_signals();

}  // namespace wsi
