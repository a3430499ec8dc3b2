#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace wsi {

/// One line of a table: a name and what is set for it.
struct ExperimentRow {
    std::string name;
    std::vector<std::string> set;  ///< section.key=value
};

/// A table of training runs that differ in a few settings.
struct ExperimentTable {
    std::string title;
    std::string preset;            ///< "" = none
    std::vector<std::string> set;  ///< for all rows
    int seeds = 1;                 ///< runs of each row and fold, with run.seed, run.seed + 1, …
    std::string reference;         ///< name of the row that the others are tested against
    std::vector<ExperimentRow> rows;
};

/// Reads a YAML file with the keys title, preset, set, seeds, reference and rows (name, set).
/// Throws Error{Config} with file, line and column for anything else, and for names that repeat or
/// are missing.
ExperimentTable read_experiment_table(const std::string& path);

/// Settings of one row: preset, the table's, those of the command line, then the row's own, on top
/// of `base`. Validated.
Config row_config(const ExperimentTable& table, const ExperimentRow& row,
                  const std::vector<std::string>& command_line, const Config& base);

}  // namespace wsi
