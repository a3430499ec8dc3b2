#include "pipeline/region_buffer.h"

#include <algorithm>
#include <tuple>

#include "stages/blend.h"

namespace wsi {

RegionBuffer::RegionBuffer(const SlidePlan& plan) {
    const PixelSize window = plan.largest([&](RegionIndex r) { return plan.data_window(r); });
    const PixelSize core = plan.largest([&](RegionIndex r) { return plan.data_core(r); });
    sums_.resize(plan.spec.maps().size());
    for (auto& sums : sums_) sums.resize(window.width, window.height);
    rgb_.resize(core.width, core.height);
}

void RegionBuffer::open(const SlidePlan& plan, RegionIndex region) {
    region_ = region;
    window_ = plan.data_window(region);
    core_ = plan.data_core(region);
    tiles_left_ = plan.active[static_cast<size_t>(plan.regions.rank(region))].size();
    dropped_ = false;
    failures_.clear();
    for (auto& sums : sums_) {
        sums.resize(window_.width, window_.height);
        sums.fill(0);
    }
    rgb_.resize(core_.width, core_.height);
    rgb_.fill(255);  // glass between the active tiles
}

void RegionBuffer::add(const SlidePlan& plan, const TileSlot& slot) {
    WSI_CHECK(tiles_left_ > 0);
    --tiles_left_;
    if (slot.state == TileState::Dropped) {
        dropped_ = true;
        return;
    }
    const PixelRect input = plan.tiles.input(slot.tile), core = plan.tiles.core(slot.tile);
    copy_pixels(slot.rgb.view().crop(core.moved(-input.x, -input.y)),
                rgb_.view().crop(core.moved(-core_.x, -core_.y)));
    add_maps(plan, slot);
}

void RegionBuffer::add_maps(const SlidePlan& plan, const TileSlot& slot) {
    const int core_px = plan.spec.core_px, feather = plan.spec.feather_px;
    const PixelRect input = plan.tiles.input(slot.tile);
    // The core square with its feather; what lies past the frame is cut off at the right and bottom
    // by the crop of the sums, at the left and top by the ends' zero weights.
    const PixelRect square = input.grown(feather - plan.spec.halo_px);
    const PixelRect target = intersection(square, plan.frame.rect());
    const TileEnds ends{slot.tile.column == 0, slot.tile.row == 0,
                        slot.tile.column + 1 == plan.tiles.columns(),
                        slot.tile.row + 1 == plan.tiles.rows()};
    const std::vector<size_t> maps = plan.spec.maps();
    for (size_t k = 0; k < maps.size(); ++k)
        blend_tile(slot.maps[maps[k]].view().crop(target.moved(-input.x, -input.y)),
                   sums_[k].view().crop(target.moved(-window_.x, -window_.y)),
                   {target.x - square.x, target.y - square.y}, core_px, feather, ends);
}

void RegionBuffer::add_failures(const std::vector<FailedBlock>& failures) {
    if (failures.empty()) return;
    const std::lock_guard lock(failures_mutex_);
    failures_.insert(failures_.end(), failures.begin(), failures.end());
}

void RegionBuffer::save(const std::string& path) {
    sort_failures(failures_);
    const std::vector<ImageView<const uint16_t>> sums(sums_.begin(), sums_.end());
    write_region_maps(path, {window_, core_, failures_}, sums, rgb_);
}

void sort_failures(std::vector<FailedBlock>& failures) {
    const auto key = [](const FailedBlock& f) {
        return std::tuple(f.level, f.rect_lvl.y, f.rect_lvl.x);
    };
    std::sort(failures.begin(), failures.end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
    failures.erase(std::unique(failures.begin(), failures.end(),
                               [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                   failures.end());
}

}  // namespace wsi
