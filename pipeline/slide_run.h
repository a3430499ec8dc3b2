#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/export.h"
#include "pipeline/provenance.h"
#include "pipeline/run_status.h"
#include "pipeline/slide_fit.h"
#include "pipeline/take_nuclei.h"

namespace wsi {

enum class Restart { No, Yes };

/// What a run takes over from an earlier one instead of working it out again.
struct KnownRun {
    std::string slide_hash;
    WorkFrame frame;
    TissueMask tissue;  ///< where nuclei are looked for, --roi and --mask included
    SlideFit fit;
    RunIdentity identity;
};

/// One slide to segment or to measure, and where its results go.
struct SlideJob {
    std::string slide;
    std::vector<std::string> outputs;  ///< suffix decides the format; at least one
    RoiOptions roi;
    Restart restart = Restart::No;
    ExportOptions exports;
    std::string command;  ///< for /provenance
    ProvenancePaths paths = ProvenancePaths::Written;
    uint64_t shuffle_seed = 0;              ///< tests only: another tile order
    std::shared_ptr<const KnownRun> known;  ///< null: everything is found out on the slide
    std::optional<ForeignNuclei> nuclei;    ///< measured instead of what the segmenter would find
};

enum class SlideOutcome {
    Complete,
    CompleteWithFailures,  ///< some blocks could not be decoded; the result lists them
    AlreadyComplete,       ///< a finished result of the same identity was left alone
    Interrupted            ///< stopped by a signal; resumable
};

struct SlideReport {
    SlideOutcome outcome = SlideOutcome::Complete;
    uint64_t nuclei = 0;
    double tissue_mm2 = 0;
    size_t failed_blocks = 0;
    double seconds = 0;
};

/// Segments one slide from opening to the last export; resumes what an earlier run left. Throws
/// Error with the complete line for the user. `make` builds the segmenter (tests pass a planted
/// one).
SlideReport run_slide(const SlideJob& job, const Config& config, RunStatus& status,
                      const std::function<std::unique_ptr<Segmenter>()>& make);

}  // namespace wsi
