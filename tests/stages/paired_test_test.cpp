#include "stages/paired_test.h"

#include <gtest/gtest.h>

#include <vector>

namespace wsi {

// Expected values: scipy.stats.wilcoxon (method "exact", resp. "approx" without correction).
TEST(SignedRankTest, equals_scipy_on_few_pairs_without_ties) {
    const std::vector<double> differences{0.03, -0.01, 0.05, 0.02, 0.07, -0.04, 0.06, 0.08};
    const SignedRank test = signed_rank_test(differences);
    EXPECT_NEAR(test.p, 0.078125, 1e-12);
    EXPECT_NEAR(test.mean, 0.0325, 1e-12);
    EXPECT_EQ(test.pairs, 8);
}

TEST(SignedRankTest, equals_scipy_with_ties_and_zeros) {
    std::vector<double> differences;
    for (int i = 0; i < 40; ++i) differences.push_back((i * 37 % 23 - 8) / 100.0);
    const SignedRank test = signed_rank_test(differences);
    EXPECT_EQ(test.pairs, 39);
    EXPECT_NEAR(test.p, 0.017584274072678253, 1e-9);
    EXPECT_NEAR(signed_rank_test(std::vector<double>(6, 0.5)).p, 0.014305878435429648, 1e-9);
}

TEST(SignedRankTest, nothing_differs_without_pairs) {
    EXPECT_EQ(signed_rank_test({}).p, 1);
    EXPECT_EQ(signed_rank_test(std::vector<double>(9, 0.0)).p, 1);
}

}  // namespace wsi
