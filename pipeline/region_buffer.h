#pragma once

#include <mutex>
#include <vector>

#include "io/region_files.h"
#include "model/segmenter.h"
#include "pipeline/slide_plan.h"

namespace wsi {

/// Maps and colours of one open region while its tiles arrive. Recycled.
class RegionBuffer {
public:
    explicit RegionBuffer(const SlidePlan& plan);
    void open(const SlidePlan& plan, RegionIndex region);
    RegionIndex region() const { return region_; }
    size_t tiles_left() const { return tiles_left_; }
    bool dropped() const { return dropped_; }

    /// Adds a finished tile: maps into the sums, core colours beside them. A dropped one marks the
    /// region as not to be kept.
    void add(const SlidePlan& plan, const TileSlot& slot);
    /// Blocks of the slide that could not be decoded; thread-safe, any order.
    void add_failures(const std::vector<FailedBlock>& failures);
    /// Writes the region's maps file. Throws Error{Output}.
    void save(const std::string& path);

private:
    void add_maps(const SlidePlan& plan, const TileSlot& slot);
    RegionIndex region_;
    PixelRect window_, core_;
    size_t tiles_left_ = 0;
    bool dropped_ = false;
    std::vector<Image<uint16_t>> sums_;  // of the maps in the order of InputSpec::maps()
    RgbImage rgb_;
    std::mutex failures_mutex_;
    std::vector<FailedBlock> failures_;
};

/// Level, then row by row, each block once: the order in which failures are reported.
void sort_failures(std::vector<FailedBlock>& failures);

}  // namespace wsi
