#include "stages/ihc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "config/error.h"
#include "stages/table_schema.h"

namespace wsi {
namespace {

std::map<std::string, double> by_name(const std::vector<SummaryValue>& values) {
    std::map<std::string, double> out;
    for (const SummaryValue& v : values) out[v.name] = v.value;
    return out;
}

TEST(IhcScorerTest, grades_begin_at_their_thresholds_and_the_h_score_weighs_them) {
    IhcScorer score(IhcConfig{}, {{"other", "1", ""}, {"nucleus_DAB_mean", "od", ""}});
    const std::vector<std::pair<float, float>> cases{{0.f, 0.f},     {0.4599f, 0.f}, {0.4601f, 1.f},
                                                     {0.9201f, 2.f}, {1.3801f, 3.f}, {5.f, 3.f}};
    for (const auto& [density, grade] : cases) {
        const std::array<float, 2> row{7.f, density};
        EXPECT_EQ(score(row), grade) << density;
    }
    const std::array<float, 2> nothing{7.f, std::nanf("")};
    EXPECT_TRUE(std::isnan(score(nothing)));
    auto found = by_name(score.summary());
    EXPECT_EQ(found["negative"], 2);
    EXPECT_EQ(found["strong"], 2);
    EXPECT_DOUBLE_EQ(found["positive_fraction"], 4.0 / 6);
    EXPECT_DOUBLE_EQ(found["h_score"], 100.0 * (1 + 2 + 6) / 6);
    EXPECT_EQ(found["moderate_od"], IhcConfig{}.moderate_od);
}

TEST(IhcScorerTest, without_nuclei_scores_are_nan) {
    auto found = by_name(IhcScorer({}, {{"nucleus_DAB_mean", "od", ""}}).summary());
    EXPECT_EQ(found["weak"], 0);
    EXPECT_TRUE(std::isnan(found["positive_fraction"]));
    EXPECT_TRUE(std::isnan(found["h_score"]));
}

TEST(IhcScorerTest, the_place_is_chosen_and_must_be_measured) {
    FeatureConfig features;
    IhcConfig config;
    for (const IhcPlace place : {IhcPlace::Nucleus, IhcPlace::Ring, IhcPlace::Edge}) {
        config.place = place;
        EXPECT_NO_THROW(IhcScorer(config, table_schema(features, StainSet::Hdab)));
    }
    features.ring_um = 0;
    config.place = IhcPlace::Ring;
    EXPECT_THROW(IhcScorer(config, table_schema(features, StainSet::Hdab)), Error);
}

TEST(TableSchemaTest, the_second_stain_bears_its_own_name) {
    const FeatureSchema he = table_schema({}, StainSet::He), dab = table_schema({}, StainSet::Hdab);
    ASSERT_EQ(dab.size(), he.size() + 1);
    size_t renamed = 0;
    for (const FeatureColumn& column : dab) {
        EXPECT_EQ(column.name.find("_E_"), std::string::npos) << column.name;
        EXPECT_EQ(column.description.find(" of E "), std::string::npos) << column.description;
        renamed += column.name.find("_DAB_") != std::string::npos;
    }
    EXPECT_EQ(renamed, 2 * 16 + 5 + 34u);
}

}  // namespace
}  // namespace wsi
