#include <filesystem>

#include "config/config_io.h"
#include "pipeline/commands.h"
#include "pipeline/kept_maps_segmenter.h"
#include "pipeline/output_check.h"
#include "pipeline/resegment.h"
#include "pipeline/runtime.h"

namespace wsi {

namespace fs = std::filesystem;

int resegment_command(const ResegmentOptions& what, const CommonOptions& options) {
    check_outputs(what.outputs);
    for (const std::string& output : what.outputs)
        if (fs::exists(output) && fs::exists(what.result) && fs::equivalent(output, what.result))
            fail(ErrorKind::Config, output, " is the result itself; name another file");
    EarlierRun earlier = read_earlier_run(what.result, options.set);
    const std::string slide = what.slide.empty() ? earlier.slide : what.slide;
    if (what.slide.empty() && !fs::exists(slide))
        fail(ErrorKind::Config, "the slide of ", what.result, ", ", slide,
             ", is not there; say where it is with --slide");
    Config& config = earlier.config;
    if (options.threads) config.run.threads = *options.threads;
    if (options.memory) config.run.memory_mib = parse_memory_mib(*options.memory);
    config.run.keep_maps = options.keep_maps != 0;
    validate(config);
    if (config.run.threads == 0) config.run.threads = available_cores();
    SlideJob job = make_job(slide, options);
    job.outputs = what.outputs;
    job.known = std::make_shared<const KnownRun>(earlier.known);
    return run_and_report(job, config, options, [&] {
        return std::make_unique<KeptMapsSegmenter>(what.result, earlier.tile_px, earlier.halo_px);
    });
}

}  // namespace wsi
