#include "stages/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "stages/assignment.h"

namespace wsi {
namespace {

using Labels = Image<uint32_t>;

/// One character per pixel: '.' background, else its code as the id.
Labels draw(const std::vector<std::string>& rows) {
    Labels image(std::ssize(rows.front()), std::ssize(rows));
    for (int64_t y = 0; y < image.height(); ++y)
        for (int64_t x = 0; x < image.width(); ++x) {
            const char c = rows[static_cast<size_t>(y)][static_cast<size_t>(x)];
            image(x, y) = c == '.' ? 0 : static_cast<uint32_t>(c) * 100000;
        }
    return image;
}

Metrics score(const Labels& truth, const Labels& found, Compat compat = Compat::Ours,
              double radius_px = 12) {
    return metrics(count_metrics(contingency(truth, found), compat, radius_px), compat);
}

TEST(MetricsTest, hand_example) {
    // a: 4 px, A overlaps 3 of its 4: IoU 3/5. b: 3 px, C covers one: IoU 1/3. E: alone.
    const Labels truth = draw({"aa....", "aa.bbb"});
    const Labels found = draw({"AA.E..", "A.A..C"});
    const Metrics m = score(truth, found);
    EXPECT_DOUBLE_EQ(m.dq, 1 / 2.5);
    EXPECT_DOUBLE_EQ(m.sq, 0.6);
    EXPECT_DOUBLE_EQ(m.pq, 0.24);
    EXPECT_DOUBLE_EQ(m.aji, 4.0 / (5 + 3 + 1));
    EXPECT_DOUBLE_EQ(m.aji_plus, 4.0 / 9);
    EXPECT_DOUBLE_EQ(m.dice_fg, 8.0 / 13);
    EXPECT_DOUBLE_EQ(m.iou_fg, 4.0 / 9);
    EXPECT_DOUBLE_EQ(m.miou_2c, (4.0 / 9 + 3.0 / 8) / 2);
    EXPECT_DOUBLE_EQ(m.dice_w, (7 * 8.0 / 13 + 5 * 6.0 / 11) / 12);
    EXPECT_DOUBLE_EQ(m.miou_w, (7 * 4.0 / 9 + 5 * 3.0 / 8) / 12);
    EXPECT_DOUBLE_EQ(m.count_error, 0.5);
    EXPECT_DOUBLE_EQ(m.area_bias, 0.0);
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

TEST(MetricsTest, four_empty_cases_follow_the_convention) {
    const Labels none = draw({"...."}), some = draw({"aa.."});
    const auto check = [&](const Labels& truth, const Labels& found, Compat compat, double dice,
                           double pq, double aji) {
        const Metrics m = score(truth, found, compat);
        EXPECT_TRUE(same(m.dice_fg, dice)) << m.dice_fg;
        EXPECT_TRUE(same(m.pq, pq)) << m.pq;
        EXPECT_TRUE(same(m.aji, aji)) << m.aji;
        EXPECT_TRUE(same(m.aji_plus, aji)) << m.aji_plus;
    };
    const double undefined = std::nan("");
    check(none, none, Compat::Ours, 1, 1, 1);
    check(none, none, Compat::HoverNet, undefined, undefined, undefined);
    check(none, none, Compat::Conic, 0, 0, 0);
    check(none, none, Compat::Paper, 0, 1, 1);
    for (const Compat compat : {Compat::Ours, Compat::HoverNet, Compat::Conic, Compat::Paper}) {
        check(none, some, compat, 0, 0, 0);
        check(some, none, compat, 0, 0, compat == Compat::HoverNet ? undefined : 0);
        check(some, draw({"...a"}), compat, 0, 0, 0);
    }
    EXPECT_EQ(score(none, none).miou_2c, 1);
    EXPECT_EQ(score(none, none, Compat::Paper).dice_w, 1);
}

TEST(MetricsTest, small_constants_are_those_of_the_reference_code) {
    const Labels image = draw({"aa..b"});
    EXPECT_EQ(score(image, image).pq, 1);
    EXPECT_DOUBLE_EQ(score(image, image, Compat::HoverNet).pq, 2 / (2 + 1e-6));
    EXPECT_DOUBLE_EQ(score(image, image, Compat::Conic).pq, std::pow(2 / (2 + 1e-6), 2));
}

TEST(MetricsTest, half_overlap_is_no_match) {
    EXPECT_EQ(score(draw({"aa"}), draw({"a."})).dq, 0);
    EXPECT_EQ(score(draw({"aaa"}), draw({"aa."})).dq, 1);
}

TEST(MetricsTest, aji_lets_a_prediction_serve_twice_and_aji_plus_does_not) {
    const Labels truth = draw({"aaabbb"}), found = draw({"AAAAAA"});
    EXPECT_DOUBLE_EQ(score(truth, found).aji, 6.0 / 12);
    EXPECT_DOUBLE_EQ(score(truth, found).aji_plus, 3.0 / 9);
}

TEST(MetricsTest, an_image_without_background_keeps_all_its_nuclei) {
    const Labels image = draw({"ab", "cd"});
    EXPECT_EQ(score(image, image).pq, 1);
    EXPECT_EQ(score(image, image).aji, 1);
    EXPECT_EQ(score(image, image).miou_2c, 1);
}

TEST(MetricsTest, pooled_counts_are_sums) {
    const Labels a = draw({"aa.."}), b = draw({"a.bb"});
    MetricCounts pool = count_metrics(contingency(a, b), Compat::Ours);
    pool += count_metrics(contingency(b, b), Compat::Ours);
    const Metrics m = metrics(pool, Compat::Ours);
    EXPECT_EQ(pool.truth, 3);
    EXPECT_EQ(pool.found, 4);
    EXPECT_EQ(pool.count_difference, 1);
    EXPECT_DOUBLE_EQ(m.dice_fg, 2.0 * 4 / (5 + 6));
    EXPECT_DOUBLE_EQ(m.dq, 2 / 3.5);
}

TEST(MetricsTest, sizes_must_agree) { EXPECT_THROW(contingency(draw({"ab"}), draw({"a"})), Error); }

TEST(AssignmentTest, beats_the_greedy_choice) {
    const std::vector<WeightedPair> pairs{{0, 0, .5}, {0, 1, .4}, {1, 0, .4}, {2, 3, .1}};
    EXPECT_EQ(best_assignment(pairs, 3, 4), (std::vector<size_t>{1, 2, 3}));
    EXPECT_TRUE(best_assignment({}, 0, 0).empty());
}

/// The generator of tests/reference/metrics_golden.py.
class Draw {
public:
    explicit Draw(uint64_t seed) : state_(seed) {}
    int64_t below(uint64_t n) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<int64_t>((state_ >> 33) % n);
    }

private:
    uint64_t state_;
};

void disc(Labels& image, int64_t cx, int64_t cy, int64_t r, int64_t value) {
    for (int64_t y = 0; y < image.height(); ++y)
        for (int64_t x = 0; x < image.width(); ++x)
            if ((y - cy) * (y - cy) + (x - cx) * (x - cx) <= r * r)
                image(x, y) = static_cast<uint32_t>(value);
}

std::pair<Labels, Labels> random_labels(uint64_t seed) {
    Draw d(seed);
    const int64_t width = 20 + d.below(60), height = 20 + d.below(60);
    Labels truth(width, height), found(width, height);
    if (seed % 8 == 0) truth.fill(90000);
    const int64_t count = d.below(30);
    for (int64_t i = 0; i < count; ++i) {
        const int64_t x = d.below(static_cast<uint64_t>(width));
        const int64_t y = d.below(static_cast<uint64_t>(height));
        const int64_t r = 1 + d.below(8), fate = d.below(8);
        const int64_t dx = d.below(5) - 2, dy = d.below(5) - 2, dr = d.below(3) - 1;
        disc(truth, x, y, r, 7 * i + 3);
        if (fate > 0) disc(found, x + dx, y + dy, r + dr, 5 * i + (fate > 1 ? 1 : 70000));
        if (fate == 2) disc(found, x + r, y, r, 1000000 + i);
    }
    if (seed % 10 == 0) truth.fill(0);
    if (seed % 15 == 0) found.fill(0);
    return {std::move(truth), std::move(found)};
}

TEST(MetricsTest, two_hundred_random_pairs_equal_their_definitions) {
    std::ifstream golden(WSI_SOURCE_DIR "/tests/stages/golden/metrics.csv");
    std::string line, cell;
    std::getline(golden, line);
    int rows = 0;
    for (; std::getline(golden, line); ++rows) {
        std::istringstream cells(line);
        std::getline(cells, cell, ',');
        const uint64_t seed = std::stoull(cell);
        const auto [truth, found] = random_labels(seed);
        const Metrics m = score(truth, found, Compat::Ours, 6);
        for (const MetricColumn& column : kMetricColumns) {
            std::getline(cells, cell, ',');
            const double value = m.*column.value;
            if (cell == "nan") {
                EXPECT_TRUE(std::isnan(value)) << column.name << " of seed " << seed;
            } else {
                EXPECT_NEAR(value, std::stod(cell), 1e-6) << column.name << " of seed " << seed;
            }
        }
    }
    EXPECT_EQ(rows, 200);
}

}  // namespace
}  // namespace wsi
