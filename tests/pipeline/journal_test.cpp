#include "pipeline/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "config/config_io.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

SlideInfo some_slide() {
    SlideInfo info;
    info.hash = "abc";
    info.levels = {{{4000, 3000}, 1, {}}};
    info.mpp_x = info.mpp_y = 0.25;
    return info;
}

InputSpec some_spec() {
    InputSpec spec;
    spec.name = "model";
    spec.hash = "weights";
    return spec;
}

RunIdentity some_identity() { return make_identity(some_slide(), {}, some_spec(), "none"); }

TEST(RunIdentityTest, everything_that_changes_results_is_named) {
    struct Change {
        const char* named;
        std::function<RunIdentity()> identity;
    };
    const auto slide = [](auto&& change) {
        return [change] {
            SlideInfo info = some_slide();
            change(info);
            return make_identity(info, {}, some_spec(), "none");
        };
    };
    const auto spec = [](auto&& change) {
        return [change] {
            InputSpec s = some_spec();
            change(s);
            return make_identity(some_slide(), {}, s, "none");
        };
    };
    const std::vector<Change> changes{
        {"slide (", slide([](SlideInfo& i) { i.hash = "abd"; })},
        {"slide size (4000x3000, now 4000x3001)",
         slide([](SlideInfo& i) { ++i.levels[0].size.height; })},
        {"slide resolution", slide([](SlideInfo& i) { i.mpp_y = 0.2500001; })},
        {"model (", spec([](InputSpec& s) { s.name = "other"; })},
        {"model hash", spec([](InputSpec& s) { s.hash = "finetuned"; })},
        {"tile", spec([](InputSpec& s) { s.core_px /= 2; })},
        {"tile", spec([](InputSpec& s) { ++s.halo_px; })},
        {"tile", spec([](InputSpec& s) { ++s.feather_px; })},
        {"region of interest",
         [] { return make_identity(some_slide(), {}, some_spec(), "polygons"); }},
    };
    const RunIdentity now = some_identity();
    EXPECT_EQ(now.difference(some_identity()), std::nullopt);
    for (const Change& change : changes) {
        const RunIdentity other = change.identity();
        ASSERT_TRUE(now.difference(other).has_value()) << change.named;
        EXPECT_THAT(*now.difference(other), testing::StartsWith(change.named));
        EXPECT_NE(now.hash(), other.hash()) << change.named;
    }
}

TEST(RunIdentityTest, settings_count_when_they_change_results_and_only_then) {
    const auto with = [](const char* setting) {
        Config config;
        apply_set(config, setting);
        return make_identity(some_slide(), config, some_spec(), "none");
    };
    for (const char* setting :
         {"separate.reach_um=15.9", "stain.method=reinhard", "run.seed=1", "tissue.margin_um=8"})
        EXPECT_THAT(some_identity().difference(with(setting)).value_or(""),
                    testing::StartsWith(std::string(setting, std::strchr(setting, '='))));
    for (const char* setting :
         {"run.threads=7", "run.memory_mib=900", "tiling.region_px=512", "run.keep_maps=true"})
        EXPECT_EQ(some_identity().difference(with(setting)), std::nullopt) << setting;
}

TEST(RunIdentityTest, a_field_that_one_side_lacks_is_a_difference) {
    const RunIdentity all = some_identity();
    RunIdentity fewer = all;
    fewer.fields.pop_back();
    EXPECT_THAT(all.difference(fewer).value_or(""), testing::HasSubstr("now absent"));
    EXPECT_THAT(fewer.difference(all).value_or(""), testing::HasSubstr("(absent, now"));
}

class JournalTest : public testing::Test {
protected:
    JournalTest() { parts_.create(); }
    static Journal some_journal() {
        Journal journal{some_identity(), 1536, {}};
        StainFit& stain = journal.fit.stain;
        stain.method = StainMethod::Vahadane;
        stain.matrix = {{{0.1 + 0.2, 1.0 / 3, 0.7}, {1e-17, 0.8, 2.0 / 3}}};
        stain.max_concentration = {1.9, 0.1};
        stain.lab_mean = {-8.5, 0.03, 1.0 / 7};
        stain.lab_sd = {0.1, 0.2, 0.3};
        stain.fitted = true;
        stain.reason = "a \"quoted\" reason, µ";
        journal.fit.slide_params = {0.1 + 0.2, -4.9e-324, 12345678.9};
        return journal;
    }
    test::TempDir dir_;
    PartStore parts_{dir_.file("out.h5.parts")};
};

// A resumed run must continue with the very same doubles, else its regions would not fit.
TEST_F(JournalTest, comes_back_bit_by_bit) {
    const Journal written = some_journal();
    write_journal(parts_, written);
    const auto read = read_journal(parts_);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->identity.fields, written.identity.fields);
    EXPECT_EQ(read->region_px, 1536);
    EXPECT_EQ(read->fit.slide_params, written.fit.slide_params);
    const StainFit &a = read->fit.stain, &b = written.fit.stain;
    EXPECT_EQ(a.method, b.method);
    EXPECT_EQ(a.matrix, b.matrix);
    EXPECT_EQ(a.max_concentration, b.max_concentration);
    EXPECT_EQ(a.lab_mean, b.lab_mean);
    EXPECT_EQ(a.lab_sd, b.lab_sd);
    EXPECT_EQ(a.fitted, b.fitted);
    EXPECT_EQ(a.reason, b.reason);
}

TEST_F(JournalTest, a_run_that_never_began_has_none) { EXPECT_FALSE(read_journal(parts_)); }

TEST_F(JournalTest, a_damaged_one_is_refused_with_the_remedy) {
    write_journal(parts_, some_journal());
    std::string bytes;
    {
        std::ifstream file(parts_.journal(), std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    const size_t model = bytes.find("weights");
    ASSERT_NE(model, std::string::npos);
    std::string flipped = bytes;
    flipped[model] = 'W';  // still JSON
    for (const std::string& damaged : {flipped, bytes.substr(0, bytes.size() / 2), std::string()}) {
        std::ofstream(parts_.journal(), std::ios::binary) << damaged;
        try {
            read_journal(parts_);
            ADD_FAILURE() << damaged.size() << " bytes were taken";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Config);
            EXPECT_THAT(error.what(), testing::HasSubstr("--restart"));
        }
    }
}

}  // namespace
}  // namespace wsi
