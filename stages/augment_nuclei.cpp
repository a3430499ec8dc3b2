#include <algorithm>
#include <array>
#include <optional>

#include "stages/augment.h"
#include "stages/augment_steps.h"
#include "stages/nucleus_targets.h"

namespace wsi {

namespace {

using Colour = std::array<double, 3>;

/// Mean colours of a nucleus and of the tissue around it.
struct Surroundings {
    Colour mean{}, around{};
};

/// How nuclei of one patch look; every nucleus that is changed at all gets most of it.
struct Paleness {
    double share;  ///< of the nuclei that are changed
    double loss;   ///< of the contrast to the tissue around; above 1 = lighter than that
    double rim;  ///< outer part that keeps its colour, as share of the depth; small = pale all over
    double texture;  ///< chromatin's contrast times this
    double darker;   ///< the rim loses this share of its light
    Colour tint;     ///< `loss` of each channel times this: red less and blue more = bluer nuclei
};

/// A scanner's nuclei differ from the tissue around in hue more than in light, a dark
/// microscope camera's the other way round.
Colour draw_tint(Random& random) {
    const double blue = random.chance(0.7) ? random.uniform() : 0;
    return {1 - 0.8 * blue, 1 - 0.3 * blue, 1 + 0.2 * blue};
}

Paleness draw_paleness(Random& random) {
    const bool vesicular = random.chance(0.6);
    return {random.uniform(0.4, 1),
            random.uniform(0.3, vesicular ? 1.5 : 0.95),
            vesicular ? random.uniform(0.12, 0.6) : 0.1,
            random.uniform(0.7, 2),
            vesicular ? random.uniform(0, 0.3) : 0,
            draw_tint(random)};
}

/// Nothing where no pixel around the nucleus is outside any nucleus.
std::optional<Surroundings> survey(const TrainingPatch& patch, uint32_t id, const PixelRect& box) {
    constexpr int kAround = 5;
    Surroundings found;
    int64_t pixels = 0, pixels_around = 0;
    const PixelRect seen =
        intersection(box.grown(kAround), {0, 0, patch.ids.width(), patch.ids.height()});
    for (int64_t y = seen.y; y < seen.bottom(); ++y)
        for (int64_t x = seen.x; x < seen.right(); ++x) {
            const uint32_t here = patch.ids(x, y);
            if (here != 0 && here != id) continue;
            ++(here == 0 ? pixels_around : pixels);
            Colour& sum = here == 0 ? found.around : found.mean;
            for (size_t c = 0; c < 3; ++c) sum[c] += patch.rgb(x, y, static_cast<int>(c));
        }
    if (pixels_around == 0) return std::nullopt;
    for (size_t c = 0; c < 3; ++c) {
        found.mean[c] /= static_cast<double>(pixels);
        found.around[c] /= static_cast<double>(pixels_around);
    }
    return found;
}

void make_pale(TrainingPatch& patch, const Image<float>& depth, uint32_t id, const PixelRect& box,
               const Surroundings& nucleus, const Paleness& look, double loss) {
    for (int64_t y = box.y; y < box.bottom(); ++y)
        for (int64_t x = box.x; x < box.right(); ++x) {
            if (patch.ids(x, y) != id) continue;
            const double inside =
                std::clamp(static_cast<double>(depth(x, y)) / look.rim - 0.2, 0.0, 1.0);
            for (size_t c = 0; c < 3; ++c) {
                uint8_t& value = patch.rgb(x, y, static_cast<int>(c));
                const double detail = (value - nucleus.mean[c]) * (1 + (look.texture - 1) * inside);
                const double shifted =
                    nucleus.mean[c] + detail +
                    inside * loss * look.tint[c] * (nucleus.around[c] - nucleus.mean[c]);
                value = to_byte(shifted * (1 - look.darker * (1 - inside)));
            }
        }
}

}  // namespace

void make_nuclei_pale(TrainingPatch& patch, Random& random) {
    const Paleness look = draw_paleness(random);
    const Image<float> depth = nucleus_targets(patch.ids).distance;
    // Ordered by id, so that random numbers are drawn in the same order everywhere.
    for (const auto& [id, box] : nucleus_boxes(patch.ids)) {
        const bool changed = random.chance(look.share);
        const double loss = look.loss * random.uniform(0.6, 1);
        if (!changed) continue;
        if (const auto nucleus = survey(patch, id, box))
            make_pale(patch, depth, id, box, *nucleus, look, loss);
    }
}

}  // namespace wsi
