#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/progress.h"
#include "pipeline/slide_run.h"
#include "pipeline/train_run.h"

namespace wsi {

/// Options that several commands share, as given on the command line.
struct CommonOptions {
    std::string config_file, preset;
    std::vector<std::string> set;  ///< key=value
    std::optional<std::string> model, device, memory, stain, stains;
    std::optional<int> threads, fold;
    std::optional<double> slide_mpp, work_mpp, feature_mpp;
    std::string roi, mask, frame = "qupath", log_file;
    std::vector<std::string> columns;  ///< of the nuclei table, in exports
    std::string naming = "ours";       ///< of those columns
    double simplify_px = 0;
    uint64_t split_rows = 0;
    std::string command_line;
    int loose_names = 0, quiet = 0, verbose = 0, keep_maps = 0, restart = 0,
        no_provenance_paths = 0;
};

/// Configuration in force: defaults, preset, file, --set, then the named options. Validated.
Config effective_config(const CommonOptions& options);

/// The same where no network takes part or one is only about to learn: --model is not asked, and no
/// weights' own settings count.
Config networkless_config(CommonOptions options);

/// What --no-provenance-paths asks for.
ProvenancePaths provenance_paths(const CommonOptions& options);

/// The job of one slide, without its outputs.
SlideJob make_job(const std::string& slide, const CommonOptions& options);

/// How other formats are written.
ExportOptions export_options(const CommonOptions& options);

ProgressMode progress_mode(const CommonOptions& options);

/// Runs one slide with signals and progress, says how it ended; returns the exit code.
int run_and_report(const SlideJob& job, const Config& config, const CommonOptions& options,
                   const std::function<std::unique_ptr<Segmenter>()>& make);

struct SegmentOptions {
    std::string slide;
    std::vector<std::string> outputs;
};

struct BatchOptions {
    std::vector<std::string> inputs;
    std::string output_dir, mask_dir, shard = "0/1";
    std::vector<std::string> formats{"h5"};
    int dry_run = 0;
};

struct ExportCommandOptions {
    std::string result;
    std::vector<std::string> outputs;
};

struct ResegmentOptions {
    std::string result, slide;
    std::vector<std::string> outputs;
};

struct MeasureOptions {
    std::string slide;
    std::vector<std::string> outputs;
    ForeignNuclei nuclei;
};

struct CompareOptions {
    std::string a, b;
    std::vector<std::string> outputs;
};

struct ReportOptions {
    std::string input;  ///< a result, or a folder of results
    std::string output;
};

struct EvaluateOptions {
    std::vector<std::string> data;
    std::string predictions, split, compat = "ours", output, save_labels;
    int every = 1, oracle = 0, keep_vague = 0;
};

struct PatchesOptions {
    std::vector<std::string> sources;
    std::string output;
    int64_t patch_px = 256, stride_px = 0;  ///< 0 = patch_px
    double val_fraction = 0.2;
};

struct ExperimentsOptions {
    std::string file, output;
    std::vector<std::string> data;
    int seeds = 0;  ///< 0 = as the table says
};

struct ModelInfoOptions {
    std::string model;
    int layers = 0;
    int64_t px = 0;  ///< side of the image; 0 = the network's usual one
};

struct ModelAverageOptions {
    std::vector<std::string> inputs;
    std::string output;
};

struct ModelConvertOptions {
    std::string input, output;
    int network = 0;  ///< check against network.* and write the settings along
};

/// Each command returns the process exit code or throws Error.
int segment_command(const SegmentOptions& segment, const CommonOptions& options);
int batch_command(const BatchOptions& batch, const CommonOptions& options);
int export_command(const ExportCommandOptions& what, const CommonOptions& options);
int compare_command(const CompareOptions& what, const CommonOptions& options);
int report_command(const ReportOptions& what, const CommonOptions& options);
int measure_command(const MeasureOptions& what, const CommonOptions& options);
int resegment_command(const ResegmentOptions& what, const CommonOptions& options);
int evaluate_command(const EvaluateOptions& what, const CommonOptions& options);
int patches_command(const PatchesOptions& what, const CommonOptions& options);
int info_command(const std::string& slide, const std::string& format, const CommonOptions& options);
int doctor_command(const CommonOptions& options);
int experiments_command(const ExperimentsOptions& what, const CommonOptions& options);
int model_list_command(const CommonOptions& options);
int model_info_command(const ModelInfoOptions& what, const CommonOptions& options);
int model_average_command(const ModelAverageOptions& what, const CommonOptions& options);
int model_convert_command(const ModelConvertOptions& what, const CommonOptions& options);
int train_command(const TrainJob& job, const CommonOptions& options);
int config_command(const std::string& format, const CommonOptions& options);

}  // namespace wsi
