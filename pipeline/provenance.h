#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/result_store.h"
#include "pipeline/journal.h"

namespace wsi {

/// Whether a result says in which folders and on which host it was made.
enum class ProvenancePaths { Written, LeftOut };

/// The texts of /provenance: command, configuration, model, host.
std::vector<std::pair<std::string, std::string>> provenance(const std::string& command,
                                                            const Config& config,
                                                            const RunIdentity& identity,
                                                            const SlideFit& fit,
                                                            ProvenancePaths paths);

/// The text of /provenance/timings: CPU time by stage and peak memory so far.
std::string timings(const RunStatus& status);

/// The command line as one text. LeftOut: of every argument that is a path, and of every path after
/// `key=`, only the last component.
std::string command_text(std::span<char* const> arguments, ProvenancePaths paths);

/// Leaves the slide's folder out of its own path and of the messages about it.
void leave_out_folder(ResultHeader& header);

/// Peak resident memory of this program so far; unlike getrusage() without what the process that
/// started it had held before.
int64_t peak_rss_mib();

}  // namespace wsi
