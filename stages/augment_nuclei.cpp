#include <algorithm>
#include <array>
#include <map>

#include "stages/augment.h"
#include "stages/augment_steps.h"
#include "stages/nucleus_targets.h"

namespace wsi {

namespace {

using Colour = std::array<double, 3>;

/// A nucleus, its box and the tissue around it.
struct Surveyed {
    int64_t left = INT64_MAX, top = INT64_MAX, right = -1, bottom = -1;  ///< inclusive
    int64_t pixels = 0;
    Colour mean{}, around{};
};

/// How nuclei of one patch look; every nucleus that is changed at all gets most of it.
struct Paleness {
    double share;  ///< of the nuclei that are changed
    double loss;   ///< of the contrast to the tissue around
    double rim;  ///< outer part that keeps its colour, as share of the depth; small = pale all over
    double texture;  ///< chromatin's contrast times this
    double darker;   ///< the rim loses this share of its light
};

Paleness draw_paleness(Random& random) {
    const bool vesicular = random.chance(0.6);
    return {random.uniform(0.4, 1), random.uniform(0.3, 0.95),
            vesicular ? random.uniform(0.25, 0.7) : 0.1, random.uniform(0.7, 1.8),
            vesicular ? random.uniform(0, 0.3) : 0};
}

/// Ordered by id, so that random numbers are drawn in the same order everywhere.
std::map<uint32_t, Surveyed> survey(const TrainingPatch& patch) {
    std::map<uint32_t, Surveyed> nuclei;
    for (int64_t y = 0; y < patch.ids.height(); ++y)
        for (int64_t x = 0; x < patch.ids.width(); ++x) {
            const uint32_t id = patch.ids(x, y);
            if (id == 0) continue;
            Surveyed& nucleus = nuclei[id];
            nucleus.left = std::min(nucleus.left, x);
            nucleus.right = std::max(nucleus.right, x);
            nucleus.top = std::min(nucleus.top, y);
            nucleus.bottom = std::max(nucleus.bottom, y);
            nucleus.pixels++;
            for (size_t c = 0; c < 3; ++c) nucleus.mean[c] += patch.rgb(x, y, static_cast<int>(c));
        }
    return nuclei;
}

/// Means of the nucleus and of what lies around it outside any nucleus. False without such pixels.
bool finish(Surveyed& nucleus, const TrainingPatch& patch) {
    constexpr int64_t kAround = 5;
    int64_t pixels = 0;
    for (int64_t y = std::max<int64_t>(0, nucleus.top - kAround);
         y <= std::min(patch.ids.height() - 1, nucleus.bottom + kAround); ++y)
        for (int64_t x = std::max<int64_t>(0, nucleus.left - kAround);
             x <= std::min(patch.ids.width() - 1, nucleus.right + kAround); ++x) {
            if (patch.ids(x, y) != 0) continue;
            ++pixels;
            for (size_t c = 0; c < 3; ++c)
                nucleus.around[c] += patch.rgb(x, y, static_cast<int>(c));
        }
    for (size_t c = 0; c < 3; ++c) {
        nucleus.mean[c] /= static_cast<double>(nucleus.pixels);
        nucleus.around[c] /= static_cast<double>(std::max<int64_t>(pixels, 1));
    }
    return pixels > 0;
}

void make_pale(TrainingPatch& patch, const Image<float>& depth, uint32_t id,
               const Surveyed& nucleus, const Paleness& look, double loss) {
    for (int64_t y = nucleus.top; y <= nucleus.bottom; ++y)
        for (int64_t x = nucleus.left; x <= nucleus.right; ++x) {
            if (patch.ids(x, y) != id) continue;
            const double inside =
                std::clamp(static_cast<double>(depth(x, y)) / look.rim - 0.2, 0.0, 1.0);
            for (size_t c = 0; c < 3; ++c) {
                uint8_t& value = patch.rgb(x, y, static_cast<int>(c));
                const double detail = (value - nucleus.mean[c]) * (1 + (look.texture - 1) * inside);
                const double shifted = nucleus.mean[c] + detail +
                                       inside * loss * (nucleus.around[c] - nucleus.mean[c]);
                value = to_byte(shifted * (1 - look.darker * (1 - inside)));
            }
        }
}

}  // namespace

void make_nuclei_pale(TrainingPatch& patch, Random& random) {
    const Paleness look = draw_paleness(random);
    const Image<float> depth = nucleus_targets(patch.ids).distance;
    for (auto& [id, nucleus] : survey(patch)) {
        const bool changed = random.chance(look.share);
        const double loss = look.loss * random.uniform(0.6, 1);
        if (changed && finish(nucleus, patch)) make_pale(patch, depth, id, nucleus, look, loss);
    }
}

}  // namespace wsi
