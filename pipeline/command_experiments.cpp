#include <spdlog/spdlog.h>

#include "pipeline/commands.h"
#include "pipeline/experiments.h"
#include "pipeline/runtime.h"
#include "pipeline/stop_signals.h"

namespace wsi {

int experiments_command(const ExperimentsOptions& what, const CommonOptions& options) {
    ExperimentJob job;
    job.table = read_experiment_table(what.file);
    if (what.seeds > 0) job.table.seeds = what.seeds;
    job.data = what.data;
    job.output = what.output;
    job.command_line = options.set;
    const Config base = effective_config(options);
    const Runtime runtime(base.run.threads);
    keep_freed_memory();
    const bool finished = run_experiments(job, base, install_stop_signals());
    spdlog::info("{}; the table is {}/table.md", finished ? "finished" : "stopped", what.output);
    return finished ? 0 : exit_code(ErrorKind::Cancelled);
}

}  // namespace wsi
