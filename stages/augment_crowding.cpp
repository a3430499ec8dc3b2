#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "stages/augment.h"
#include "stages/augment_steps.h"
#include "stages/class_ids.h"
#include "stages/nucleus_targets.h"

namespace wsi {

namespace {

/// A nucleus cut out of its patch, one pixel of surroundings with it.
struct Stamp {
    RgbImage rgb;
    Image<float> cover;  ///< 0..1, soft at the border
    GrayImage nucleus;   ///< 1 where the nucleus is
    int64_t area = 0;
    uint32_t class_id = 0;
};

/// How the copies of one patch lie.
struct Crowd {
    double share;               ///< of the nuclei that get neighbours
    int64_t most;               ///< neighbours of one nucleus
    double overlap;             ///< at most this share of a copy lies on other nuclei
    std::optional<double> row;  ///< direction of rows, as epithelium has; none = anywhere around
};

/// Of the 3 x 3 pixels around, the share that belongs to the nucleus.
float cover_of(const LabelImage& ids, uint32_t id, int64_t x, int64_t y) {
    int inside = 0;
    for (int64_t v = y - 1; v <= y + 1; ++v)
        for (int64_t u = x - 1; u <= x + 1; ++u)
            inside += u >= 0 && v >= 0 && u < ids.width() && v < ids.height() && ids(u, v) == id;
    return static_cast<float>(inside) / 9;
}

/// turn: 0..3, flipped in x, in y, or both.
Stamp cut_stamp(const TrainingPatch& patch, uint32_t id, const PixelRect& box, int64_t turn) {
    const PixelRect seen = box.grown(1);
    const bool flip_x = turn & 1, flip_y = turn & 2;
    Stamp stamp{RgbImage(seen.width, seen.height), Image<float>(seen.width, seen.height),
                GrayImage(seen.width, seen.height), 0, class_of_id(id)};
    for (int64_t y = 0; y < seen.height; ++y)
        for (int64_t x = 0; x < seen.width; ++x) {
            const int64_t u = seen.x + (flip_x ? seen.width - 1 - x : x);
            const int64_t v = seen.y + (flip_y ? seen.height - 1 - y : y);
            const uint32_t here = patch.ids(u, v);
            std::copy_n(patch.rgb.view().at(u, v), 3, stamp.rgb.view().at(x, y));
            stamp.cover(x, y) = here == 0 || here == id ? cover_of(patch.ids, id, u, v) : 0;
            stamp.nucleus(x, y) = here == id;
            stamp.area += here == id;
        }
    return stamp;
}

/// Pixels of the stamp at (left, top) that lie on nuclei, and those that lie outside the patch.
std::pair<int64_t, int64_t> covered(const LabelImage& ids, const Stamp& stamp, int64_t left,
                                    int64_t top) {
    int64_t on_nuclei = 0, outside = 0;
    for (int64_t y = 0; y < stamp.nucleus.height(); ++y)
        for (int64_t x = 0; x < stamp.nucleus.width(); ++x) {
            if (!stamp.nucleus(x, y)) continue;
            const int64_t u = left + x, v = top + y;
            const bool within = u >= 0 && v >= 0 && u < ids.width() && v < ids.height();
            outside += !within;
            on_nuclei += within && ids(u, v) != 0;
        }
    return {on_nuclei, outside};
}

/// before: it lies on the nuclei it overlaps, darker where they show through; else behind them.
void paste(TrainingPatch& patch, const Stamp& stamp, uint32_t id, int64_t left, int64_t top,
           bool before) {
    const PixelRect all{0, 0, patch.ids.width(), patch.ids.height()};
    for (int64_t y = 0; y < stamp.nucleus.height(); ++y)
        for (int64_t x = 0; x < stamp.nucleus.width(); ++x) {
            const int64_t u = left + x, v = top + y;
            if (!all.contains(u, v)) continue;
            const bool on_nucleus = patch.ids(u, v) != 0;
            if (on_nucleus && !before) continue;
            for (int c = 0; c < 3; ++c) {
                uint8_t& value = patch.rgb(u, v, c);
                const int wanted =
                    on_nucleus ? std::min<int>(stamp.rgb(x, y, c), value) : stamp.rgb(x, y, c);
                value = to_byte(value + static_cast<double>(stamp.cover(x, y)) * (wanted - value));
            }
            if (stamp.nucleus(x, y)) patch.ids(u, v) = id;
        }
}

/// Moves the stamp away from (x, y) until it overlaps no more than it may; whether there was room.
bool push_out(TrainingPatch& patch, const Stamp& stamp, uint32_t id, double x, double y,
              double direction, double overlap, bool before) {
    constexpr int kFarthest = 80;
    for (int r = 3; r < kFarthest; ++r) {
        const auto left = std::llround(x + r * std::cos(direction)) - stamp.nucleus.width() / 2;
        const auto top = std::llround(y + r * std::sin(direction)) - stamp.nucleus.height() / 2;
        const auto [on_nuclei, outside] = covered(patch.ids, stamp, left, top);
        if (2 * outside > stamp.area) return false;
        if (static_cast<double>(on_nuclei) > overlap * static_cast<double>(stamp.area)) continue;
        paste(patch, stamp, id, left, top, before);
        return true;
    }
    return false;
}

Crowd draw_crowd(Random& random) {
    Crowd crowd{random.uniform(0.2, 1), 1 + random.index(3), random.uniform(0, 0.25), {}};
    if (random.chance(0.5)) crowd.row = random.uniform(0, std::numbers::pi);
    return crowd;
}

}  // namespace

void crowd_nuclei(TrainingPatch& patch, Random& random) {
    constexpr int64_t kLeastArea = 20, kMostCopies = 80;
    const Crowd crowd = draw_crowd(random);
    const auto boxes = nucleus_boxes(patch.ids);
    const PixelRect whole{0, 0, patch.ids.width(), patch.ids.height()};
    std::vector<std::pair<uint32_t, PixelRect>> complete;
    for (const auto& [id, box] : boxes)
        if (intersection(box.grown(1), whole) == box.grown(1) && box.area() >= kLeastArea)
            complete.emplace_back(id, box);
    if (complete.empty()) return;
    std::vector<Stamp> stamps;  // before the first copy hides anything
    for (const auto& [id, box] : complete)
        stamps.push_back(cut_stamp(patch, id, box, crowd.row ? 0 : random.index(4)));
    uint32_t next = 0;
    for (const auto& [id, box] : boxes) next = std::max(next, own_id(id));
    int64_t copies = 0;
    for (const auto& [id, box] : complete) {
        if (!random.chance(crowd.share)) continue;
        const double x = static_cast<double>(box.x) + static_cast<double>(box.width) / 2;
        const double y = static_cast<double>(box.y) + static_cast<double>(box.height) / 2;
        for (int64_t i = 1 + random.index(crowd.most); i > 0 && copies < kMostCopies; --i) {
            const Stamp& stamp = stamps[static_cast<size_t>(random.index(std::ssize(stamps)))];
            const double turn = crowd.row ? *crowd.row + 0.3 * random.normal() +
                                                (random.chance(0.5) ? std::numbers::pi : 0)
                                          : random.uniform(0, 2 * std::numbers::pi);
            const bool before = random.chance(0.5);
            const uint32_t id_of_copy = id_with_class(next + 1, stamp.class_id);
            if (push_out(patch, stamp, id_of_copy, x, y, turn, crowd.overlap, before)) {
                ++next;
                ++copies;
            }
        }
    }
}

}  // namespace wsi
