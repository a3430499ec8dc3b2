#pragma once

#include <string>
#include <vector>

#include "config/error.h"
#include "pipeline/batch.h"

namespace wsi {

/// How one slide of a batch ended.
struct SlideResult {
    BatchSlide slide;
    std::string status;  ///< "complete", "complete_with_failures", "already_complete",
                         ///< "interrupted", "failed"
    SlideReport report;
    std::string message;  ///< why it failed
    ErrorKind kind = ErrorKind::Internal;
};

/// Writes summary.csv (a row per slide) and summary.md (the same to be read, problems first) into
/// `folder`, each complete at any time. Throws Error{Output}.
void write_summaries(const std::string& folder, const std::vector<SlideResult>& results);

}  // namespace wsi
