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

void Flood::step() {
    changes_.clear();
    for (const uint32_t at : queue_) {
        dirty_[at] = 0;
        const uint64_t key = best(at);
        if (key != keys_[at]) changes_.push_back({at, key});
    }
    queue_.clear();
    for (const Change& change : changes_) {
        keys_[change.at] = change.key;
        for (const int64_t row : {-stride_, int64_t{0}, stride_})
            for (int64_t column = -1; column <= 1; ++column) {
                const auto n = static_cast<uint32_t>(change.at + row + column);
                // Markers never change: their mask bit is taken out of `dirty_` for good.
                if (heights_[n] == 0 || dirty_[n] != 0) continue;
                dirty_[n] = 1;
                queue_.push_back(n);
            }
    }
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
    queue_.clear();
    changes_.clear();
    constexpr uint8_t kFixed = 2;
    for (uint64_t rank = 0; rank < markers.size(); ++rank) {
        const auto at =
            static_cast<uint32_t>((markers[rank].y + 1) * stride_ + markers[rank].x + 1);
        changes_.push_back({at, pack(kTop - heights_[at], 0, rank)});
        dirty_[at] = kFixed;
    }
    for (const Change& change : changes_) {
        keys_[change.at] = change.key;
        for (const int64_t row : {-stride_, int64_t{0}, stride_})
            for (int64_t column = -1; column <= 1; ++column) {
                const auto n = static_cast<uint32_t>(change.at + row + column);
                if (heights_[n] == 0 || dirty_[n] != 0) continue;
                dirty_[n] = 1;
                queue_.push_back(n);
            }
    }
    for (int t = 0; t < steps && !queue_.empty(); ++t) step();
    for (int64_t y = 0; y < labels.height; ++y) {
        const uint64_t* keys = keys_.data() + (y + 1) * stride_ + 1;
        uint32_t* row = labels.row(y);
        for (int64_t x = 0; x < labels.width; ++x)
            row[x] = keys[x] == kNone ? 0 : static_cast<uint32_t>(keys[x]) + 1;
    }
}

}  // namespace wsi::separation
