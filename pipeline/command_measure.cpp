#include "pipeline/commands.h"
#include "pipeline/output_check.h"
#include "pipeline/unused_settings.h"

namespace wsi {

int measure_command(const MeasureOptions& what, const CommonOptions& options) {
    refuse_training_settings(options);
    check_outputs(what.outputs);
    Config config = networkless_config(options);
    config.run.keep_maps = false;  // there are none
    SlideJob job = make_job(what.slide, options);
    job.outputs = what.outputs;
    job.nuclei = what.nuclei;
    return run_and_report(job, config, options,
                          [&] { return segmenter_for_measuring(what.nuclei, job.exports.frame); });
}

}  // namespace wsi
