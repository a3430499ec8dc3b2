#include "stages/class_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "io/types/random.h"

namespace wsi {
namespace {

using testing::ElementsAre;

/// Rectangles of random ids and classes; a nucleus may have pixels of several classes.
struct Drawn {
    Image<uint32_t> labels{40, 32, 0};
    GrayImage classes{40, 32, 0};
    explicit Drawn(uint64_t seed) {
        Random random(seed);
        const int64_t nuclei = random.index(14);
        for (int64_t i = 0; i < nuclei; ++i) {
            const int64_t x0 = random.index(34), y0 = random.index(26), side = 2 + random.index(5);
            const auto of = static_cast<uint8_t>(random.index(4));
            for (int64_t y = y0; y < y0 + side; ++y)
                for (int64_t x = x0; x < x0 + side; ++x) {
                    labels(x, y) = static_cast<uint32_t>(7 * i + 1);
                    classes(x, y) = of;
                }
        }
    }
};

/// Panoptic quality of one class from its definition: sets of pixels, one pair at a time.
struct NaivePq {
    double matched = 0, iou_sum = 0, truth = 0, found = 0;

    static std::map<uint32_t, std::set<int64_t>> sets(const Drawn& of, uint8_t which) {
        std::map<uint32_t, std::set<int64_t>> all;
        for (int64_t i = 0; i < of.labels.size().area(); ++i)
            if (of.labels.data()[i] != 0 && of.classes.data()[i] == which)
                all[of.labels.data()[i]].insert(i);
        return all;
    }
    void add(const Drawn& a, const Drawn& b, uint8_t which) {
        const auto truths = sets(a, which), founds = sets(b, which);
        truth += static_cast<double>(truths.size());
        found += static_cast<double>(founds.size());
        for (const auto& [t, pixels_t] : truths)
            for (const auto& [f, pixels_f] : founds) {
                double both = 0;
                for (const int64_t p : pixels_t) both += pixels_f.contains(p) ? 1 : 0;
                const double iou =
                    both / (static_cast<double>(pixels_t.size() + pixels_f.size()) - both);
                if (iou <= 0.5) continue;
                ++matched;
                iou_sum += iou;
            }
    }
    /// As metrics/stats_utils.py of CoNIC.
    double conic() const {
        const double dq =
            matched / (matched + 0.5 * (found - matched) + 0.5 * (truth - matched) + 1e-6);
        return dq * iou_sum / (matched + 1e-6);
    }
};

TEST(ClassMetricsTest, pq_of_each_class_over_all_images_equals_its_definition) {
    for (uint8_t which = 1; which <= 3; ++which) {
        NaivePq naive;
        MetricCounts pool;
        for (uint64_t seed = 0; seed < 200; ++seed) {
            Drawn truth(seed), found(seed);  // the same, then some of it drawn over
            const Drawn other(seed + 1000);
            for (int64_t i = 0; i < 600; ++i)
                if (other.labels.data()[i] != 0) {
                    found.labels.data()[i] = other.labels.data()[i];
                    found.classes.data()[i] = other.classes.data()[i];
                }
            naive.add(truth, found, which);
            pool += count_metrics(
                contingency(labels_of_class(truth.labels, truth.classes, which).view(),
                            labels_of_class(found.labels, found.classes, which).view()),
                Compat::Conic);
        }
        EXPECT_GT(naive.matched, 50);
        EXPECT_LT(naive.matched, naive.truth);
        EXPECT_NEAR(metrics(pool, Compat::Conic).pq, naive.conic(), 1e-6);
    }
}

TEST(ClassMetricsTest, a_nucleus_counts_once_by_the_class_of_most_of_its_pixels) {
    Image<uint32_t> labels(6, 6, 0);
    GrayImage classes(6, 6, 0);
    for (int64_t x = 0; x < 6; ++x) labels(x, 0) = 5, classes(x, 0) = x < 2 ? 1 : 2;
    labels(3, 3) = 8;
    classes(3, 3) = 1;
    labels(4, 3) = 9;  // no class
    EXPECT_THAT(nuclei_per_class(labels, classes, 2), ElementsAre(1, 1));
    EXPECT_THAT(nuclei_per_class(labels, classes, 2, 1), ElementsAre(1, 0));
    EXPECT_THAT(nuclei_per_class(labels, classes, 3), ElementsAre(1, 1, 0));
}

TEST(ClassMetricsTest, determination_equals_scikit_learns) {
    // sklearn.metrics.r2_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), its documentation's example.
    EXPECT_NEAR(determination(std::array{3.0, -0.5, 2.0, 7.0}, std::array{2.5, 0.0, 2.0, 8.0}),
                0.9486081370449679, 1e-12);
    EXPECT_EQ(determination(std::array{2.0, 2.0}, std::array{2.0, 2.0}), 1);
    EXPECT_EQ(determination(std::array{2.0, 2.0}, std::array{2.0, 3.0}), 0);
    EXPECT_TRUE(std::isnan(determination(std::array{2.0}, std::array{2.0})));
}

}  // namespace
}  // namespace wsi
