#include "stages/separate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "stages/separate_steps.h"
#include "tests/support/fake_segmenter.h"

namespace wsi {
namespace {

using separation::Height;
using separation::Marker;

/// One pixel in five is background, or four: then the mask falls into many components.
enum class Mask { Whole, Scattered };

Image<Height> random_heights(int64_t width, int64_t height, uint32_t seed, int levels,
                             Mask mask = Mask::Whole) {
    Image<Height> v(width, height);
    std::mt19937 random(seed);
    for (int64_t i = 0; i < width * height; ++i)
        v.data()[i] =
            (random() % 5 == 0) == (mask == Mask::Whole)
                ? Height{0}
                : static_cast<Height>(1 + 16 * (random() % static_cast<uint32_t>(levels)));
    return v;
}

/// The definition, word for word: N full sweeps over all pixels.
Image<uint32_t> naive_flood(const Image<Height>& v, const std::vector<Marker>& markers, int steps) {
    using State = std::tuple<int64_t, int64_t, int64_t>;  // cost, steps, marker
    const State none{INT64_MAX, 0, 0};
    const int64_t width = v.width(), height = v.height();
    std::map<std::pair<int64_t, int64_t>, int64_t> marker_at;
    for (size_t m = 0; m < markers.size(); ++m)
        marker_at[{markers[m].x, markers[m].y}] = static_cast<int64_t>(m);
    const auto cost = [&](int64_t x, int64_t y) { return int64_t{255 * 16 + 1} - v(x, y); };
    std::vector<State> state(static_cast<size_t>(width * height), none);
    const auto at = [&](std::vector<State>& s, int64_t x, int64_t y) -> State& {
        return s[static_cast<size_t>(y * width + x)];
    };
    for (const auto& [xy, m] : marker_at)
        at(state, xy.first, xy.second) = {cost(xy.first, xy.second), 0, m};
    for (int t = 0; t < steps; ++t) {
        std::vector<State> next(state.size(), none);
        for (int64_t y = 0; y < height; ++y)
            for (int64_t x = 0; x < width; ++x) {
                if (v(x, y) == 0) continue;
                if (marker_at.contains({x, y})) {
                    at(next, x, y) = at(state, x, y);
                    continue;
                }
                State best = none;
                for (int64_t ny = std::max<int64_t>(0, y - 1); ny <= std::min(height - 1, y + 1);
                     ++ny)
                    for (int64_t nx = std::max<int64_t>(0, x - 1); nx <= std::min(width - 1, x + 1);
                         ++nx) {
                        if ((nx == x && ny == y) || at(state, nx, ny) == none) continue;
                        const auto [c, k, m] = at(state, nx, ny);
                        best = std::min(
                            best, cost(x, y) > c ? State{cost(x, y), 0, m} : State{c, k + 1, m});
                    }
                at(next, x, y) = best;
            }
        state = next;
    }
    Image<uint32_t> labels(width, height);
    for (int64_t i = 0; i < width * height; ++i)
        labels.data()[i] =
            state[static_cast<size_t>(i)] == none
                ? 0
                : static_cast<uint32_t>(std::get<2>(state[static_cast<size_t>(i)])) + 1;
    return labels;
}

TEST(FloodTest, equals_the_definition_after_any_number_of_steps) {
    for (const auto& [width, height, levels, mask] : {std::tuple{31, 23, 255, Mask::Whole},
                                                      {40, 40, 4, Mask::Whole},
                                                      {60, 50, 30, Mask::Scattered},
                                                      {1, 50, 9, Mask::Whole},
                                                      {50, 1, 9, Mask::Whole},
                                                      {1, 1, 3, Mask::Whole}}) {
        const Image<Height> v =
            random_heights(width, height, static_cast<uint32_t>(width + levels), levels, mask);
        const auto markers = separation::find_markers(v.view(), 16, 5);
        for (const int steps : {1, 2, 3, 8, 40}) {
            Image<uint32_t> labels(width, height);
            separation::Flood flood;
            flood(v.view(), markers, steps, labels);
            const Image<uint32_t> expected = naive_flood(v, markers, steps);
            ASSERT_TRUE(std::equal(labels.data(), labels.data() + width * height, expected.data()))
                << width << "x" << height << " levels " << levels << " steps " << steps;
        }
    }
}

TEST(FloodTest, markers_are_grouped_by_component_of_the_mask) {
    const Image<Height> v = random_heights(50, 30, 5, 9, Mask::Scattered);
    const auto markers = separation::find_markers(v.view(), 0, 1);
    // The definition: what a flood reaches from the first marker of a component.
    std::vector<std::vector<uint32_t>> expected;
    std::vector<bool> taken(markers.size());
    for (uint32_t first = 0; first < markers.size(); ++first) {
        if (taken[first]) continue;
        const Image<uint32_t> reached = naive_flood(v, {markers[first]}, 60);
        expected.emplace_back();
        for (uint32_t m = first; m < markers.size(); ++m)
            if (reached(markers[m].x, markers[m].y) != 0) {
                expected.back().push_back(m);
                taken[m] = true;
            }
    }
    std::vector<std::vector<uint32_t>> found;
    for (const auto& group : separation::group_markers(v.view(), markers)) {
        found.push_back(group.ranks);
        const Image<uint32_t> reached = naive_flood(v, {markers[group.ranks[0]]}, 60);
        int64_t left = 50, top = 30, right = 0, bottom = 0;
        for (int64_t y = 0; y < 30; ++y)
            for (int64_t x = 0; x < 50; ++x)
                if (reached(x, y) != 0) {
                    left = std::min(left, x), right = std::max(right, x + 1);
                    top = std::min(top, y), bottom = std::max(bottom, y + 1);
                }
        EXPECT_EQ(group.box, (PixelRect{left, top, right - left, bottom - top}));
    }
    std::sort(found.begin(), found.end());
    EXPECT_GT(found.size(), 10u);
    EXPECT_LT(found.size(), markers.size());
    EXPECT_EQ(found, expected);
}

TEST(MarkersTest, a_dome_has_one_marker_and_a_deep_saddle_makes_two) {
    Image<Height> v(21, 5, 0);
    const auto row = [&](const std::vector<int>& heights) {
        for (int64_t x = 0; x < 21; ++x)
            v(x, 2) = static_cast<Height>(heights[static_cast<size_t>(x)]);
    };
    row({1, 3, 5, 9, 12, 15, 14, 13, 12, 11, 10, 11, 12, 13, 14, 14, 12, 9, 5, 3, 1});
    EXPECT_EQ(separation::find_markers(v.view(), 3, 20).size(), 2u);  // the saddle is 4 deep
    EXPECT_EQ(separation::find_markers(v.view(), 4, 20).size(), 1u);
    EXPECT_EQ(separation::find_markers(v.view(), 4, 6).size(), 2u);  // out of each other's box
}

TEST(MarkersTest, a_plateau_has_one_marker) {
    Image<Height> v(9, 9, 100);
    EXPECT_EQ(separation::find_markers(v.view(), 10, 20).size(), 1u);
}

/// The definition: everything that can be reached in the box without descending more than h.
bool naive_marker(const Image<Height>& v, int64_t x, int64_t y, int h, int64_t reach) {
    if (v(x, y) == 0) return false;
    const auto rank = [&](int64_t px, int64_t py) { return std::tuple(-v(px, py), py, px); };
    std::vector<PixelPoint> seen{{x, y}};
    for (size_t i = 0; i < seen.size(); ++i)
        for (int64_t ny = seen[i].y - 1; ny <= seen[i].y + 1; ++ny)
            for (int64_t nx = seen[i].x - 1; nx <= seen[i].x + 1; ++nx) {
                if (nx < 0 || ny < 0 || nx >= v.width() || ny >= v.height()) continue;
                if (std::abs(nx - x) > reach || std::abs(ny - y) > reach) continue;
                if (v(nx, ny) == 0 || v(nx, ny) < v(x, y) - h) continue;
                if (std::find(seen.begin(), seen.end(), PixelPoint{nx, ny}) != seen.end()) continue;
                if (rank(nx, ny) < rank(x, y)) return false;
                seen.push_back({nx, ny});
            }
    return true;
}

TEST(MarkersTest, equal_the_definition) {
    for (const auto& [width, height, levels] :
         {std::tuple{40, 30, 4}, {30, 40, 200}, {1, 60, 5}, {60, 1, 5}, {1, 1, 1}}) {
        const Image<Height> v =
            random_heights(width, height, static_cast<uint32_t>(width + levels), levels);
        for (const auto& [h, reach] : {std::pair{0, 1}, {16, 3}, {320, 8}}) {
            std::vector<std::pair<int64_t, int64_t>> expected, found;
            for (int64_t y = 0; y < height; ++y)
                for (int64_t x = 0; x < width; ++x)
                    if (naive_marker(v, x, y, h, reach)) expected.emplace_back(x, y);
            for (const Marker& m : separation::find_markers(v.view(), h, reach))
                found.emplace_back(m.x, m.y);
            EXPECT_EQ(found, expected) << width << "x" << height << " h " << h;
        }
    }
}

TEST(PiecesTest, only_the_piece_of_the_marker_stays) {
    const std::vector<std::string> before{"11.22222", "1.1....2", "1.1.2.33", "..1..333",
                                          "44......"};
    const std::vector<std::string> after{"11.22222", "1......2", "1.....33", ".....333",
                                         "........"};
    Image<uint32_t> labels(8, 5);
    const auto value = [](char c) { return c == '.' ? 0u : static_cast<uint32_t>(c - '0'); };
    for (size_t y = 0; y < 5; ++y)
        for (size_t x = 0; x < 8; ++x)
            labels(static_cast<int64_t>(x), static_cast<int64_t>(y)) = value(before[y][x]);
    // The third piece of 1, the lone 2 in the middle and the small 4 go.
    separation::keep_marker_pieces({{0, 1}, {5, 0}, {6, 3}, {0, 4}}, 3, labels);
    for (size_t y = 0; y < 5; ++y)
        for (size_t x = 0; x < 8; ++x)
            EXPECT_EQ(labels(static_cast<int64_t>(x), static_cast<int64_t>(y)), value(after[y][x]))
                << x << "," << y;
}

TEST(HolesTest, only_small_enclosed_background_is_filled) {
    GrayImage mask(20, 12, 1);
    mask(3, 3) = 0;                               // one pixel
    for (int x = 6; x < 12; ++x) mask(x, 4) = 0;  // long
    for (int y = 0; y < 4; ++y) mask(15, y) = 0;  // open to the border
    mask(17, 8) = mask(18, 9) = 0;                // two, touching at a corner
    separation::fill_holes(mask.view(), 4, 100, separation::Connectivity::Four);
    EXPECT_EQ(mask(3, 3), 1);
    EXPECT_EQ(mask(8, 4), 0);
    EXPECT_EQ(mask(15, 2), 0);
    EXPECT_EQ(mask(17, 8), 1);
    EXPECT_EQ(mask(18, 9), 1);
}

TEST(HolesTest, background_between_two_labels_stays) {
    Image<uint32_t> labels(7, 5, 1);
    for (int y = 0; y < 5; ++y)
        for (int x = 4; x < 7; ++x) labels(x, y) = 2;
    labels(3, 2) = 0;  // between both
    labels(1, 2) = 0;  // inside the first
    separation::fill_holes(labels.view(), 9, 100, separation::Connectivity::Eight);
    EXPECT_EQ(labels(3, 2), 0u);
    EXPECT_EQ(labels(1, 2), 1u);
}

TEST(HolesTest, another_label_beside_background_is_enough_to_keep_it) {
    Image<uint32_t> labels(7, 5, 2);
    labels(1, 2) = labels(2, 2) = 1;
    labels(3, 2) = 0;  // the second above, below and on the right
    separation::fill_holes(labels.view(), 9, 100, separation::Connectivity::Eight);
    EXPECT_EQ(labels(3, 2), 0u);
}

SeparateParams small_params() {
    SeparateParams p;
    p.reach_px = 9;
    p.marker_reach_px = 6;
    p.min_area_px = 6;
    p.hole_area_px = 8;
    p.hole_side_px = 5;
    p.h = 12;
    return p;
}

struct Maps {
    GrayImage probability, distance;
};

Maps paint(const PixelRect& rect) {
    Maps maps{{rect.width, rect.height}, {rect.width, rect.height}};
    test::percolating_maps()(rect, maps.probability, maps.distance);
    return maps;
}

/// Labels named by the position of their first pixel: comparable between windows.
std::map<std::pair<int64_t, int64_t>, std::pair<int64_t, int64_t>> names(
    const Image<uint32_t>& labels, const PixelRect& window, const PixelRect& inside) {
    std::map<uint32_t, std::pair<int64_t, int64_t>> first;
    std::map<std::pair<int64_t, int64_t>, std::pair<int64_t, int64_t>> out;
    for (int64_t y = 0; y < window.height; ++y)
        for (int64_t x = 0; x < window.width; ++x)
            if (labels(x, y) != 0) first.try_emplace(labels(x, y), window.x + x, window.y + y);
    for (int64_t y = inside.y; y < inside.bottom(); ++y)
        for (int64_t x = inside.x; x < inside.right(); ++x) {
            const uint32_t label = labels(x - window.x, y - window.y);
            if (label != 0) out[{x, y}] = first.at(label);
        }
    return out;
}

TEST(SeparatorTest, a_window_with_its_halo_agrees_with_the_whole) {
    const SeparateParams p = small_params();
    const PixelRect all{0, 0, 420, 360};
    const Separator separate(p);
    const auto run = [&](const PixelRect& window) {
        const Maps maps = paint(window);
        Image<uint32_t> labels(window.width, window.height);
        separate(maps.probability.view(), maps.distance.view(), labels);
        return labels;
    };
    const Image<uint32_t> whole = run(all);
    for (const PixelRect region :
         {PixelRect{0, 0, 130, 90}, {130, 90, 70, 110}, {200, 100, 220, 260}}) {
        const PixelRect window = intersection(region.grown(p.halo_px()), all);
        // Names need whole labels: compare where a nucleus of the region may reach.
        EXPECT_EQ(names(run(window), window, region), names(whole, all, region));
    }
}

TEST(SeparatorTest, a_window_with_its_halo_agrees_with_the_whole_on_the_mask_alone) {
    SeparateParams p = small_params();
    p.depth_reach_px = 7;
    const PixelRect all{0, 0, 420, 360};
    const Separator separate(p);
    const auto run = [&](const PixelRect& window) {
        const Maps maps = paint(window);
        Image<uint32_t> labels(window.width, window.height);
        separate(maps.probability.view(), {}, labels);
        return labels;
    };
    const Image<uint32_t> whole = run(all);
    for (const PixelRect region :
         {PixelRect{0, 0, 130, 90}, {130, 90, 70, 110}, {200, 100, 220, 260}}) {
        const PixelRect window = intersection(region.grown(p.halo_px()), all);
        EXPECT_EQ(names(run(window), window, region), names(whole, all, region));
    }
}

TEST(SeparatorTest, two_discs_that_touch_are_told_apart_by_the_mask_alone) {
    GrayImage probability(60, 40);
    for (int y = 0; y < 40; ++y)
        for (int x = 0; x < 60; ++x)
            probability(x, y) = (x - 20) * (x - 20) + (y - 20) * (y - 20) < 121 ||
                                        (x - 39) * (x - 39) + (y - 20) * (y - 20) < 121
                                    ? 255
                                    : 0;
    const SeparateParams p =
        SeparateParams::from({}, WorkFrame{{60, 40}, 1, 0.5, 0.5}, Depth::OfMask);
    Image<uint32_t> labels(60, 40);
    EXPECT_EQ(Separator(p)(probability.view(), {}, labels).count, 2U);
    EXPECT_NE(labels(20, 20), labels(39, 20));
    EXPECT_EQ(labels(24, 20), labels(20, 20));
    EXPECT_EQ(labels(35, 20), labels(39, 20));
}

TEST(SeparatorTest, empty_single_pixel_and_full_maps) {
    const Separator separate(small_params());
    for (const auto& [side, value] : {std::pair{1, 255}, {1, 0}, {40, 0}, {40, 255}}) {
        const GrayImage p(side, side, static_cast<uint8_t>(value)), d(side, side, 200);
        Image<uint32_t> labels(side, side, 77);
        const auto result = separate(p.view(), d.view(), labels);
        EXPECT_EQ(result.cut.size(), result.count + 1);
        const auto most = *std::max_element(labels.data(), labels.data() + side * side);
        EXPECT_EQ(most > 0, value == 255 && side == 40) << side << " " << value;
        if (side == 40 && value == 255) {
            EXPECT_EQ(result.cut[most], 1);
        }  // it goes on beyond its reach
    }
}

TEST(SeparatorTest, the_halo_is_the_sum_of_all_reaches) {
    const SeparateParams p = small_params();
    EXPECT_EQ(p.halo_px(), 19 + 19 + 9 + 7 + p.smoothing_radius + 6);
    SeparateParams of_mask = p;
    of_mask.depth_reach_px = 7;
    EXPECT_EQ(of_mask.halo_px(), p.halo_px() + 7);
}

}  // namespace
}  // namespace wsi
