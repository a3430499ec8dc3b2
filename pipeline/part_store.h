#pragma once

#include <string>
#include <vector>

#include "pipeline/region_board.h"

namespace wsi {

enum class KeepMaps { No, Yes };

/// The folder of one unfinished run: `<output>.parts/` with a journal, maps and nuclei of regions.
/// Only closed, renamed files count.
class PartStore {
public:
    explicit PartStore(std::string folder) : folder_(std::move(folder)) {}

    const std::string& folder() const { return folder_; }
    std::string journal() const { return folder_ + "/journal.json"; }
    std::string maps(const SlidePlan& plan, RegionIndex region) const;
    std::string nuclei(const SlidePlan& plan, RegionIndex region) const;
    std::string kept_maps(const SlidePlan& plan, RegionIndex region) const;

    /// Creates the folder. Throws Error{Output}.
    void create() const;
    /// What earlier runs left, by region rank; torn files are removed. A region counts as finished
    /// only with its final maps when those are to be kept.
    std::vector<RegionState> restore(const SlidePlan& plan, KeepMaps keep) const;
    void remove_maps(const SlidePlan& plan, RegionIndex region) const;
    void remove_all() const;

private:
    std::string path(const char* kind, const SlidePlan& plan, RegionIndex region) const;
    std::string folder_;
};

}  // namespace wsi
