#include <algorithm>
#include <utility>

#include "stages/separate_steps.h"

// state(x) = (cost, steps, marker), compared in that order. Cost: the least height deficit that
// must be crossed to come from the marker; steps: since the cost last rose; marker: its rank in
// raster order, which any two windows agree on. One step replaces every state by the best that its
// eight neighbours' states of the step before extend to, so after N steps a pixel depends on its
// N-box alone and no order of arrival exists. Only neighbours of what changed are recomputed, which
// gives the same.
namespace wsi::separation {

namespace {
constexpr uint64_t kNone = ~uint64_t{0};
constexpr uint64_t kTop = 255 * kHeightScale + 1;  // the greatest height

constexpr uint64_t pack(uint64_t cost, uint64_t steps, uint64_t rank) {
    return cost << 48 | steps << 32 | rank;
}

/// A neighbour's state carried on to a pixel of the given cost.
constexpr uint64_t extend(uint64_t key, uint64_t cost) {
    return cost > key >> 48 ? pack(cost, 0, key & 0xFFFFFFFFu) : key + (uint64_t{1} << 32);
}
}  // namespace

uint64_t Flood::best(uint32_t at) const {
    const uint64_t cost = kTop - heights_[at];
    const uint64_t* center = keys_.data() + at;
    uint64_t least = kNone;
    for (const int64_t row : {-stride_, int64_t{0}, stride_})
        for (int64_t column = -1; column <= 1; ++column) {
            if (row == 0 && column == 0) continue;
            const uint64_t key = center[row + column];
            if (key != kNone) least = std::min(least, extend(key, cost));
        }
    return least;
}

void Flood::queue_affected(const Change& change) {
    // Copies: a store to dirty_ could change any member, as far as the compiler knows.
    const auto [at, key, before] = change;
    const Height* heights = heights_.data();
    const uint64_t* keys = keys_.data();
    uint8_t* dirty = dirty_.data();
    for (const int64_t row : {-stride_, int64_t{0}, stride_})
        for (int64_t column = -1; column <= 1; ++column) {
            if (row == 0 && column == 0) continue;
            const int64_t n = at + row + column;
            if (heights[n] == 0) continue;
            const uint64_t cost = kTop - heights[n], now = keys[n];
            const uint64_t offer = extend(key, cost);
            // Better than what is there, or in the place of an offer that what is there rests on.
            if (offer < now || (offer > now && before != kNone && extend(before, cost) == now)) {
                if (std::exchange(dirty[n], uint8_t{1}) == 0)
                    queue_.push_back(static_cast<uint32_t>(n));
            }
        }
}

void Flood::step() {
    queue_.clear();
    for (const Change& change : changes_) queue_affected(change);
    changes_.clear();
    for (const uint32_t at : queue_) {
        dirty_[at] = 0;
        const uint64_t key = best(at);
        if (key != keys_[at]) changes_.push_back({at, key, keys_[at]});
    }
    for (const Change& change : changes_) keys_[change.at] = change.key;
}

/// A component's only marker gets whatever N steps reach, at any cost.
void Flood::flood_alone(int steps) {
    const auto [first, key, before] = changes_.front();
    queue_.assign(1, first);
    keys_[first] = key;
    size_t i = 0;
    for (int t = 0; t < steps && i < queue_.size(); ++t)
        for (const size_t end = queue_.size(); i < end; ++i)
            for (const int64_t row : {-stride_, int64_t{0}, stride_})
                for (int64_t column = -1; column <= 1; ++column) {
                    const auto n = static_cast<uint32_t>(queue_[i] + row + column);
                    if (heights_[n] == 0 || keys_[n] != kNone) continue;
                    keys_[n] = key;
                    queue_.push_back(n);
                }
}

void Flood::flood_together(int steps) {
    for (const Change& marker : changes_) {
        keys_[marker.at] = marker.key;
        heights_[marker.at] = 0;  // a marker never changes: nothing is offered to it
    }
    for (int t = 0; t < steps && !changes_.empty(); ++t) step();
}

void Flood::open_box(ImageView<const Height> heights, const PixelRect& box) {
    stride_ = box.width + 2;
    const auto size = static_cast<size_t>(stride_ * (box.height + 2));
    WSI_CHECK(size < UINT32_MAX);
    heights_.assign(size, 0);
    keys_.assign(size, kNone);
    dirty_.assign(size, 0);
    for (int64_t y = 0; y < box.height; ++y)
        std::copy_n(heights.at(box.x, box.y + y), box.width,
                    heights_.data() + (y + 1) * stride_ + 1);
}

void Flood::write_labels(ImageView<uint32_t> labels) const {
    for (int64_t y = 0; y < labels.height; ++y) {
        const uint64_t* keys = keys_.data() + (y + 1) * stride_ + 1;
        uint32_t* row = labels.row(y);
        for (int64_t x = 0; x < labels.width; ++x)
            if (keys[x] != kNone) row[x] = static_cast<uint32_t>(keys[x]) + 1;
    }
}

// No path leaves a component, so each is flooded by itself, while it is in the cache. Pixels of
// other components in its box are no neighbours of its own, so nothing reaches them.
void Flood::operator()(ImageView<const Height> heights, const std::vector<Marker>& markers,
                       int steps, ImageView<uint32_t> labels) {
    WSI_CHECK(steps < 65536);
    for (int64_t y = 0; y < labels.height; ++y) std::fill_n(labels.row(y), labels.width, 0u);
    for (const MarkerGroup& group : group_markers(heights, markers)) {
        open_box(heights, group.box);
        changes_.clear();
        for (const uint32_t rank : group.ranks) {
            const auto at = static_cast<uint32_t>((markers[rank].y - group.box.y + 1) * stride_ +
                                                  markers[rank].x - group.box.x + 1);
            changes_.push_back({at, pack(kTop - heights_[at], 0, rank), kNone});
        }
        if (changes_.size() == 1)
            flood_alone(steps);
        else
            flood_together(steps);
        write_labels(labels.crop(group.box));
    }
}

}  // namespace wsi::separation
