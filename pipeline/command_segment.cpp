#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "config/config_io.h"
#include "model/model_settings.h"
#include "pipeline/commands.h"
#include "pipeline/finished_slide.h"
#include "pipeline/output_check.h"
#include "pipeline/runtime.h"
#include "pipeline/stop_signals.h"
#include "pipeline/unused_settings.h"

namespace wsi {

namespace {

/// Preset, file, --set and options over `config`, in this order.
Config with_options(Config config, const CommonOptions& o) {
    if (!o.preset.empty()) load_preset(config, o.preset);
    if (!o.config_file.empty()) load_config_file(config, o.config_file);
    for (const std::string& setting : o.set) apply_set(config, setting);
    const auto set = [&config](const char* key, const auto& value) {
        if (value) apply_set(config, fmt::format("{}={}", key, *value));
    };
    set("model.name", o.model);
    set("model.work_mpp", o.work_mpp);
    set("features.texture_mpp", o.feature_mpp);
    set("run.device", o.device);
    set("run.threads", o.threads);
    set("train.fold", o.fold);
    if (o.memory) config.run.memory_mib = parse_memory_mib(*o.memory);
    set("stain.method", o.stain);
    set("stain.stains", o.stains);
    set("slide.mpp", o.slide_mpp);
    if (o.keep_maps) config.run.keep_maps = true;
    return config;
}

}  // namespace

Config effective_config(const CommonOptions& o) {
    // The first pass only tells which model is asked for; its own settings lie under the user's.
    Config own;
    for (const std::string& setting : model_settings(with_options({}, o).model.name))
        apply_set(own, setting);
    Config config = with_options(own, o);
    validate(config);
    if (config.run.threads == 0) config.run.threads = available_cores();
    return config;
}

Config networkless_config(CommonOptions options) {
    options.model = "classical";
    return effective_config(options);
}

ProvenancePaths provenance_paths(const CommonOptions& o) {
    return o.no_provenance_paths ? ProvenancePaths::LeftOut : ProvenancePaths::Written;
}

ExportOptions export_options(const CommonOptions& o) {
    ExportOptions out;
    out.frame = o.frame == "level0" ? Frame::Level0 : Frame::Qupath;
    out.columns = o.columns;
    out.naming = naming_of(o.naming);
    out.loose_names = o.loose_names ? LooseNames::Yes : LooseNames::No;
    out.simplify_px = o.simplify_px;
    out.split_rows = o.split_rows;
    return out;
}

SlideJob make_job(const std::string& slide, const CommonOptions& o) {
    SlideJob job;
    job.slide = slide;
    job.roi.mask_png = o.mask;
    job.roi.roi_geojson = o.roi;
    job.restart = o.restart ? Restart::Yes : Restart::No;
    job.exports = export_options(o);
    job.command = o.command_line;
    job.paths = provenance_paths(o);
    return job;
}

ProgressMode progress_mode(const CommonOptions& o) {
    return o.quiet ? ProgressMode::Quiet : ProgressMode::Auto;
}

int run_and_report(const SlideJob& job, const Config& config, const CommonOptions& options,
                   const std::function<std::unique_ptr<Segmenter>()>& make) {
    const Runtime runtime(config.run.threads);
    RunStatus status;
    status.stop = &install_stop_signals();
    const SlideReport report = [&] {
        const Progress progress(std::filesystem::path(job.slide).filename().string(), status,
                                progress_mode(options));
        return run_slide(job, config, status, make);
    }();
    switch (report.outcome) {
        case SlideOutcome::Interrupted:
            spdlog::warn("interrupted; run the same command again to resume");
            return exit_code(ErrorKind::Cancelled);
        case SlideOutcome::AlreadyComplete:
            spdlog::info("{} is already complete ({} nuclei): nothing to do", job.outputs.front(),
                         report.nuclei);
            break;
        case SlideOutcome::Complete:
        case SlideOutcome::CompleteWithFailures:
            spdlog::info("{} nuclei on {:.2f} mm² of tissue in {:.1f} s", report.nuclei,
                         report.tissue_mm2, report.seconds);
            break;
    }
    if (report.failed_blocks == 0) return 0;
    spdlog::warn(
        "{}: blocks that could not be decoded: {}; they count as glass and are listed in "
        "/failed_tiles of {}; copy the slide again if the original is sound",
        job.slide, report.failed_blocks,
        kept_file(job.outputs).ends_with(".h5") ? "the result" : "an .h5, if one is asked for");
    return 2;
}

int segment_command(const SegmentOptions& segment, const CommonOptions& options) {
    refuse_training_settings(options);
    const Config config = effective_config(options);
    SlideJob job = make_job(segment.slide, options);
    job.outputs = segment.outputs;
    if (job.outputs.empty())
        job.outputs.push_back(std::filesystem::path(segment.slide).stem().string() + ".h5");
    check_outputs(job.outputs);
    return run_and_report(job, config, options, [&] { return segmenter_for(config, options); });
}

}  // namespace wsi
