#include <algorithm>

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
    for (const int64_t row : {-stride_, int64_t{0}, stride_})
        for (int64_t column = -1; column <= 1; ++column) {
            const auto n = static_cast<uint32_t>(change.at + row + column);
            if (heights_[n] == 0 || dirty_[n] != 0) continue;
            const uint64_t cost = kTop - heights_[n], now = keys_[n];
            const uint64_t offer = extend(change.key, cost);
            // Better than what is there, or in the place of an offer that what is there rests on.
            if (offer < now ||
                (offer > now && change.before != kNone && extend(change.before, cost) == now)) {
                dirty_[n] = 1;
                queue_.push_back(n);
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
void Flood::flood_alone(uint32_t at, uint32_t rank, int steps) {
    queue_.assign(1, at);
    keys_[at] = rank;
    size_t i = 0;
    for (int t = 0; t < steps && i < queue_.size(); ++t)
        for (const size_t end = queue_.size(); i < end; ++i)
            for (const int64_t row : {-stride_, int64_t{0}, stride_})
                for (int64_t column = -1; column <= 1; ++column) {
                    const auto n = static_cast<uint32_t>(queue_[i] + row + column);
                    if (heights_[n] == 0 || keys_[n] != kNone) continue;
                    keys_[n] = rank;
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

void Flood::operator()(ImageView<const Height> heights, const std::vector<Marker>& markers,
                       int steps, ImageView<uint32_t> labels) {
    stride_ = heights.width + 2;
    const auto size = static_cast<size_t>(stride_ * (heights.height + 2));
    WSI_CHECK(size < UINT32_MAX && steps < 65536);
    heights_.assign(size, 0);
    keys_.assign(size, kNone);
    dirty_.assign(size, 0);
    for (int64_t y = 0; y < heights.height; ++y)
        std::copy_n(heights.row(y), heights.width, heights_.data() + (y + 1) * stride_ + 1);
    // No path leaves a component, so each is flooded by itself, while it is in the cache.
    const MarkerGroups groups = group_markers(heights, markers);
    for (size_t g = 0; g + 1 < groups.begin.size(); ++g) {
        changes_.clear();
        for (size_t i = groups.begin[g]; i < groups.begin[g + 1]; ++i) {
            const uint32_t rank = groups.ranks[i];
            const auto at =
                static_cast<uint32_t>((markers[rank].y + 1) * stride_ + markers[rank].x + 1);
            changes_.push_back({at, pack(kTop - heights_[at], 0, rank), kNone});
        }
        if (changes_.size() == 1)
            flood_alone(changes_[0].at, static_cast<uint32_t>(changes_[0].key), steps);
        else
            flood_together(steps);
    }
    for (int64_t y = 0; y < labels.height; ++y) {
        const uint64_t* keys = keys_.data() + (y + 1) * stride_ + 1;
        uint32_t* row = labels.row(y);
        for (int64_t x = 0; x < labels.width; ++x)
            row[x] = keys[x] == kNone ? 0 : static_cast<uint32_t>(keys[x]) + 1;
    }
}

}  // namespace wsi::separation
