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
    std::string kept;     ///< its .h5, or the record of a slide without (finished_slide.h)
    ErrorKind kind = ErrorKind::Internal;
};

/// Writes summary<tag>.csv (a row per slide) and summary<tag>.md (the same to be read, problems
/// first) into `folder`, each complete at any time. Throws Error{Output}.
void write_summaries(const std::string& folder, const std::string& tag,
                     const std::vector<SlideResult>& results);

/// slides<tag>.parquet: the same rows with every aggregate of each slide's /summary. Opens the
/// results, so once, at the end of a batch.
void write_slides_table(const std::string& folder, const std::string& tag,
                        const std::vector<SlideResult>& results);

}  // namespace wsi
