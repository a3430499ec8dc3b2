#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace wsi {

/// Reads a YAML file over `config`. An unknown key, a wrong type or a value out of range throws
/// Error{Config} with file, line and column, and the nearest known key.
void load_config_file(Config& config, const std::string& path);

/// Named settings from the folder `presets` beside the program or in the source tree.
void load_preset(Config& config, const std::string& name);

/// "section.key=value". Throws Error{Config}.
void apply_set(Config& config, const std::string& setting);

/// Rules across fields, checked once; afterwards nobody checks the configuration again.
void validate(const Config& config);

/// Names in network.classes; none when it says "none". Throws Error{Config} for an empty name.
std::vector<std::string> class_names(const NetworkConfig& config);

/// The settings in force as YAML, each key with its explanation.
std::string config_yaml(const Config& config);

/// The table in docs/config.md.
std::string config_markdown();

/// Canonical (key, value) of every setting that may change results: part of a run's identity.
std::vector<std::pair<std::string, std::string>> result_fields(const Config& config);

/// (key, value) of every setting that shapes weights being trained: written into weights files.
std::vector<std::pair<std::string, std::string>> training_fields(const Config& config);

/// "1400", "1400MiB", "1.5GiB" as MiB. Throws Error{Config}.
int64_t parse_memory_mib(const std::string& text);

}  // namespace wsi
