#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/export.h"
#include "io/result_store.h"
#include "model/segmenter.h"
#include "pipeline/part_store.h"
#include "pipeline/run_status.h"
#include "pipeline/slide_plan.h"

namespace wsi {

/// A file of nuclei found by another tool, to be measured.
struct ForeignNuclei {
    std::string path;
    double max_skipped = 0.05;  ///< share of its nuclei that may be unusable
};

/// Stands where a segmenter would: it says at which resolution nuclei are measured and how the
/// slide is cut, carries the hash of their file, and finds nothing.
std::unique_ptr<Segmenter> segmenter_for_measuring(const ForeignNuclei& nuclei, Frame frame);

/// What became of the nuclei of a file.
struct TakenSummary {
    uint64_t taken = 0, repaired = 0;
    uint64_t too_small = 0, too_large = 0, off_slide = 0, unreadable = 0;
    std::string first_unreadable;
    int files = 0;         ///< of the store
    int most_side_px = 0;  ///< longest side of a box, work pixels
    std::vector<NucleusClass> classes;

    uint64_t skipped() const { return too_small + too_large + off_slide + unreadable; }
    std::string text() const;  ///< "3 skipped (1 too small, 2 off the slide), 4 repaired"; or empty
};

/// Where a part folder keeps the nuclei that were taken.
std::string taken_prefix(const PartStore& parts);

/// Reads a file of nuclei once, makes pixels of the work frame of each, and sorts them into regions
/// on disk; does nothing when that was done before. origin0: level-0 point that GeoJSON calls
/// (0, 0). Throws Error{Config} when more than max_skipped of them (and more than ten) are
/// unusable.
TakenSummary take_nuclei(const ForeignNuclei& nuclei, const SlideInfo& slide, PixelPoint origin0,
                         const SlidePlan& plan, const PartStore& parts, RunStatus& status);

}  // namespace wsi
