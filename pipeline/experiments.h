#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/experiment_file.h"
#include "pipeline/train_run.h"

namespace wsi {

struct ExperimentJob {
    ExperimentTable table;
    std::vector<std::string> data;          ///< data set folders
    std::string output;                     ///< folder: a run each, table.md, table.csv
    std::vector<std::string> command_line;  ///< section.key=value for all rows
};

/// Trains every row of a table for every seed and fold, or goes on where an earlier run of it
/// stopped, and rewrites the table after each. A row whose network this build cannot make, or whose
/// encoder's weights are not given, is named in the table with the reason and has no numbers.
/// False: stopped by a signal.
bool run_experiments(const ExperimentJob& job, const Config& base,
                     const std::atomic<StopRequest>& stop,
                     MakeTrainer make_trainer = library_trainer);

/// Scores of one image by column name.
using ImageScores = std::map<std::string, double>;

struct ImageEncoding {
    std::string image, organ;
    std::vector<float> values;
};

/// What is known of a row: its runs by (seed, fold), each with its images' scores.
struct ExperimentResult {
    std::string name, problem;  ///< problem: why it was not run
    int64_t parameters = 0;
    std::map<std::pair<int, int>, std::map<std::string, ImageScores>> runs;
    std::vector<ImageEncoding> encodings;  ///< of a frozen encoder; of the first run's images
};

/// table.md and table.csv: mean ± sd over runs of the mean over images, and Wilcoxon's signed-rank
/// test of the images' scores (each the mean over seeds) against the reference row.
void write_experiment_table(const ExperimentJob& job, const std::vector<ExperimentResult>& results);

/// bars.svg, violin.svg, and encodings.svg (principal axes of the encodings) of the first row that
/// has any; rows without runs are left out.
void write_experiment_figures(const ExperimentJob& job,
                              const std::vector<ExperimentResult>& results);

}  // namespace wsi
