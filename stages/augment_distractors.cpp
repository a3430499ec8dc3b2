#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "stages/augment.h"
#include "stages/augment_steps.h"

namespace wsi {

namespace {

using Colour = std::array<double, 3>;  ///< 0..255

struct Place {
    double x, y;
};

/// A round thing with soft borders, drawn outside nuclei alone.
struct Disc {
    Place centre;
    double radius;
    double stretch;  ///< of its width; its height shrinks as much
    double pallor;   ///< share of the colour that the middle lacks
    Colour colour;
};

void draw(TrainingPatch& patch, const Disc& disc) {
    constexpr double kSoftness = 1.2;
    const double rx = disc.radius * disc.stretch, ry = disc.radius / disc.stretch;
    const auto first = [](double v) { return std::max<int64_t>(0, std::llround(v)); };
    const int64_t right =
        std::min<int64_t>(patch.ids.width() - 1, std::llround(disc.centre.x + rx + 1));
    const int64_t bottom =
        std::min<int64_t>(patch.ids.height() - 1, std::llround(disc.centre.y + ry + 1));
    for (int64_t y = first(disc.centre.y - ry - 1); y <= bottom; ++y)
        for (int64_t x = first(disc.centre.x - rx - 1); x <= right; ++x) {
            if (patch.ids(x, y) != 0) continue;
            const double dx = (static_cast<double>(x) - disc.centre.x) / rx;
            const double dy = (static_cast<double>(y) - disc.centre.y) / ry;
            const double r = std::sqrt(dx * dx + dy * dy);
            const double edge = std::clamp((1 - r) * disc.radius / kSoftness, 0.0, 1.0);
            const double cover = edge * (1 - disc.pallor * std::max(0.0, 1 - r * r));
            for (int c = 0; c < 3; ++c) {
                uint8_t& value = patch.rgb(x, y, c);
                value = to_byte(value + cover * (disc.colour[static_cast<size_t>(c)] - value));
            }
        }
}

/// Heaps around one to four centres, or anywhere.
std::vector<Place> scatter(int64_t side, int64_t count, Random& random) {
    const auto length = static_cast<double>(side);
    std::vector<Place> heaps(static_cast<size_t>(1 + random.index(4)));
    for (Place& heap : heaps) heap = {random.uniform(0, length), random.uniform(0, length)};
    const bool anywhere = random.chance(0.4);
    const double spread = random.uniform(0.04, 0.25) * length;
    std::vector<Place> places(static_cast<size_t>(count));
    for (Place& place : places) {
        const Place& heap = heaps[static_cast<size_t>(random.index(std::ssize(heaps)))];
        const double u = anywhere ? random.uniform(0, length) : heap.x + spread * random.normal();
        const double v = anywhere ? random.uniform(0, length) : heap.y + spread * random.normal();
        place = {u, v};
    }
    return places;
}

Colour shaded(Colour colour, double by, Random& random) {
    const double light = random.uniform(1 - by, 1 + by);
    for (double& c : colour) c *= light;
    return colour;
}

/// Any red from orange to magenta.
Colour red_cell_colour(Random& random) {
    const double red = random.uniform(150, 240);
    return {red, red * random.uniform(0.3, 0.7), red * random.uniform(0.25, 0.8)};
}

/// Scattered cells, or a sheet of them on glass as bleedings are.
void add_red_cells(TrainingPatch& patch, Random& random) {
    const Colour colour = red_cell_colour(random);
    const double radius = random.uniform(4, 13), pallor = random.uniform(0, 0.6);
    const auto side = static_cast<double>(patch.ids.width());
    int64_t count = 5 + random.index(90);
    if (random.chance(0.4)) {
        count += 150 + random.index(350);
        draw(patch, {{random.uniform(0, side), random.uniform(0, side)},
                     random.uniform(0.3, 0.8) * side,
                     1,
                     0,
                     {240, 232, 238}});
    }
    for (const Place& place : scatter(patch.ids.width(), count, random))
        draw(patch, {place, radius * random.uniform(0.7, 1.2), random.uniform(0.65, 1.5), pallor,
                     shaded(colour, 0.12, random)});
}

/// Fine granules, or coarse clumps of brown and black.
void add_granules(TrainingPatch& patch, Random& random) {
    const double light = random.uniform(15, 120);
    const Colour colour{light, light * random.uniform(0.5, 0.95), light * random.uniform(0.2, 0.8)};
    const bool coarse = random.chance(0.35);
    const double radius = coarse ? random.uniform(4, 14) : random.uniform(1.2, 4);
    for (const Place& place :
         scatter(patch.ids.width(), 20 + random.index(coarse ? 60 : 300), random))
        draw(patch, {place, radius * random.uniform(0.5, 1.5), random.uniform(0.7, 1.43),
                     coarse ? random.uniform(0, 0.5) : 0, shaded(colour, 0.4, random)});
}

/// A wandering line of a pen's or a marking dye's colour.
void add_ink(TrainingPatch& patch, Random& random) {
    static constexpr std::array<Colour, 5> kInks{
        {{15, 85, 150}, {20, 110, 90}, {25, 25, 30}, {150, 25, 35}, {45, 45, 150}}};
    const Colour colour = kInks[static_cast<size_t>(random.index(std::ssize(kInks)))];
    const auto side = static_cast<double>(patch.ids.width());
    Place at{random.uniform(0, side), random.uniform(0, side)};
    double direction = random.uniform(0, 6.283);
    const double radius = random.uniform(3, 12);
    for (int64_t step = 20 + random.index(60); step > 0; --step) {
        draw(patch, {at, radius * random.uniform(0.6, 1.3), 1, random.uniform(0, 0.4),
                     shaded(colour, 0.25, random)});
        direction += 0.4 * random.normal();
        at = {at.x + radius * std::cos(direction), at.y + radius * std::sin(direction)};
    }
}

}  // namespace

void add_distractors(TrainingPatch& patch, Random& random) {
    const double kind = random.uniform();
    if (kind < 0.55)
        add_red_cells(patch, random);
    else if (kind < 0.8)
        add_granules(patch, random);
    else
        add_ink(patch, random);
}

}  // namespace wsi
