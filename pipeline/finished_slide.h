#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/slide_run.h"

namespace wsi {

/// What a batch keeps of a slide whose results hold no .h5: enough to see later that they are what
/// is asked for, and the slide's row in the batch's tables.
struct FinishedSlide {
    std::string identity_hash;
    std::string exports;                    ///< how files were written: columns, naming, ...
    std::map<std::string, uint64_t> files;  ///< name without folder -> bytes
    uint64_t nuclei = 0;
    uint64_t failed_blocks = 0;
    double tissue_mm2 = 0;
    std::vector<SummaryValue> aggregates;
};

/// Of a job whose outputs are all written, from its result file.
FinishedSlide finished_slide(const SlideJob& job, const std::string& identity_hash,
                             const std::string& result);

/// True when the record is of a run with this identity and every output of the job lies there as it
/// was written (by its size).
bool is_current(const FinishedSlide& record, const SlideJob& job, const std::string& identity_hash);

/// As JSON; stands under its name only when it is whole. Throws Error{Output}.
void write_finished(const std::string& path, const FinishedSlide& record);

/// Nothing when there is no such file or none of ours.
std::optional<FinishedSlide> read_finished(const std::string& path);

}  // namespace wsi
