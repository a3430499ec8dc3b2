#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/slide_run.h"

namespace wsi {

/// What is kept of a slide whose results hold no .h5: enough to see later that they are what is
/// asked for, and the slide's row in a batch's tables.
struct FinishedSlide {
    std::string identity_hash;
    std::string exports;                    ///< how files were written: columns, naming, ...
    std::map<std::string, uint64_t> files;  ///< path from the record's folder -> bytes
    uint64_t nuclei = 0;
    uint64_t failed_blocks = 0;
    double tissue_mm2 = 0;
    std::vector<SummaryValue> aggregates;
};

/// The file by which later runs see that these outputs are done: the .h5 among them, else
/// `<name>.finished.json` beside the first.
std::string kept_file(const std::vector<std::string>& outputs);

/// Of a job whose outputs are all written, from its result file. Files of `earlier`, a record of
/// the same results, that still lie there as they were written stay known.
FinishedSlide finished_slide(const SlideJob& job, const std::string& identity_hash,
                             const std::string& result,
                             const std::optional<FinishedSlide>& earlier);

/// True when the record is of results with this identity, written as the job says.
bool is_same_run(const FinishedSlide& record, const SlideJob& job,
                 const std::string& identity_hash);

/// True when every output of the job lies there as it was written (by its size).
bool has_all_files(const FinishedSlide& record, const SlideJob& job);

/// As JSON; stands under its name only when it is whole. Throws Error{Output}.
void write_finished(const std::string& path, const FinishedSlide& record);

/// Nothing when there is no such file or none of ours.
std::optional<FinishedSlide> read_finished(const std::string& path);

}  // namespace wsi
