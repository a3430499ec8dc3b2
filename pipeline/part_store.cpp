#include "pipeline/part_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "io/block_file.h"

namespace wsi {

namespace fs = std::filesystem;

std::string PartStore::path(const char* kind, const SlidePlan& plan, RegionIndex region) const {
    return fmt::format("{}/region-{:06}.{}", folder_, plan.regions.rank(region), kind);
}
std::string PartStore::maps(const SlidePlan& plan, RegionIndex region) const {
    return path("maps", plan, region);
}
std::string PartStore::nuclei(const SlidePlan& plan, RegionIndex region) const {
    return path("nuclei", plan, region);
}
std::string PartStore::kept_maps(const SlidePlan& plan, RegionIndex region) const {
    return path("kept", plan, region);
}

void PartStore::create() const {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
        fail(ErrorKind::Output, "cannot create ", folder_, ": ", error.message(),
             "; choose an output path in a writable folder");
}

std::vector<RegionState> PartStore::restore(const SlidePlan& plan, KeepMaps keep) const {
    const auto count = static_cast<size_t>(plan.regions.count());
    std::vector<char> has_maps(count), has_nuclei(count);
    const auto whole = [](const std::string& file) {
        if (!fs::exists(file)) return false;
        if (block_file_is_whole(file)) return true;
        fs::remove(file);
        return false;
    };
    for (size_t r = 0; r < count; ++r) {
        if (plan.active[r].empty()) continue;
        const RegionIndex region = plan.regions.at(static_cast<int64_t>(r));
        has_maps[r] = whole(maps(plan, region)) ? 1 : 0;
        const bool kept = keep == KeepMaps::No || whole(kept_maps(plan, region));
        has_nuclei[r] = kept && whole(nuclei(plan, region)) ? 1 : 0;
    }
    const auto known = [&](RegionIndex n) {
        const auto r = static_cast<size_t>(plan.regions.rank(n));
        return plan.active[r].empty() || has_nuclei[r];
    };
    std::vector<RegionState> states(count, RegionState::Open);
    for (size_t r = 0; r < count; ++r) {
        const auto around = plan.regions.neighbourhood(plan.regions.at(static_cast<int64_t>(r)));
        const bool maps_needed = !std::all_of(around.begin(), around.end(), known);
        if (has_nuclei[r])
            states[r] = has_maps[r] || !maps_needed ? RegionState::Finished : RegionState::Remap;
        else if (has_maps[r])
            states[r] = RegionState::Mapped;
    }
    return states;
}

void PartStore::remove_maps(const SlidePlan& plan, RegionIndex region) const {
    std::error_code ignored;  // a leftover costs disk space only, and goes with the folder
    fs::remove(maps(plan, region), ignored);
}

void PartStore::remove_all() const {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

}  // namespace wsi
