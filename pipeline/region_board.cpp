#include "pipeline/region_board.h"

#include <algorithm>

namespace wsi {

RegionBoard::RegionBoard(const SlidePlan& plan, const std::vector<RegionState>& restored)
    : plan_(plan), states_(restored) {
    states_.resize(static_cast<size_t>(plan.regions.count()), RegionState::Open);
    for (size_t r = 0; r < states_.size(); ++r)
        if (plan.active[r].empty()) states_[r] = RegionState::Blank;
}

std::vector<RegionIndex> RegionBoard::to_map() const {
    std::vector<RegionIndex> out;
    for (int64_t r = 0; r < plan_.regions.count(); ++r)
        if (lacks_maps(states_[static_cast<size_t>(r)])) out.push_back(plan_.regions.at(r));
    return out;
}

bool RegionBoard::is_ready(RegionIndex region) const {
    if (state(region) != RegionState::Mapped) return false;
    const auto neighbours = plan_.regions.neighbourhood(region);
    return std::none_of(neighbours.begin(), neighbours.end(),
                        [this](RegionIndex n) { return lacks_maps(state(n)); });
}

std::vector<RegionIndex> RegionBoard::ready() const {
    std::vector<RegionIndex> out;
    for (int64_t r = 0; r < plan_.regions.count(); ++r)
        if (is_ready(plan_.regions.at(r))) out.push_back(plan_.regions.at(r));
    return out;
}

std::vector<RegionIndex> RegionBoard::mapped(RegionIndex region) {
    WSI_CHECK(lacks_maps(state(region)));
    const bool known = state(region) == RegionState::Remap;
    states_[rank(region)] = known ? RegionState::Finished : RegionState::Mapped;
    std::vector<RegionIndex> out;
    for (const RegionIndex n : plan_.regions.neighbourhood(region))
        if (is_ready(n)) out.push_back(n);
    return out;
}

std::vector<RegionIndex> RegionBoard::finished(RegionIndex region) {
    WSI_CHECK(state(region) == RegionState::Mapped);
    states_[rank(region)] = RegionState::Finished;
    std::vector<RegionIndex> out;
    for (const RegionIndex n : plan_.regions.neighbourhood(region)) {
        if (state(n) != RegionState::Finished) continue;
        const auto around = plan_.regions.neighbourhood(n);
        if (std::none_of(around.begin(), around.end(), [this](RegionIndex m) {
                return lacks_maps(state(m)) || state(m) == RegionState::Mapped;
            }))
            out.push_back(n);
    }
    return out;
}

bool RegionBoard::all_finished() const {
    return std::none_of(states_.begin(), states_.end(),
                        [](RegionState s) { return lacks_maps(s) || s == RegionState::Mapped; });
}

}  // namespace wsi
