#include <spdlog/spdlog.h>

#include "pipeline/commands.h"
#include "pipeline/runtime.h"
#include "pipeline/stop_signals.h"

namespace wsi {

int train_command(const TrainJob& job, const CommonOptions& options) {
    const Config config = networkless_config(options);
    const Runtime runtime(config.run.threads);
    keep_freed_memory();
    const TrainReport report = run_training(job, config, install_stop_signals());
    spdlog::info("{} after {} steps, best development score {:.4f}",
                 report.finished ? "finished" : "stopped", report.steps, report.best_score);
    return report.finished || job.max_steps > 0 ? 0 : exit_code(ErrorKind::Cancelled);
}

}  // namespace wsi
