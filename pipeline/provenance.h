#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pipeline/journal.h"

namespace wsi {

/// The texts of /provenance: command, configuration, model, host, timings.
std::vector<std::pair<std::string, std::string>> provenance(const std::string& command,
                                                            const Config& config,
                                                            const RunIdentity& identity,
                                                            const SlideFit& fit,
                                                            const RunStatus& status);

/// Peak resident memory of this process so far.
int64_t peak_rss_mib();

}  // namespace wsi
