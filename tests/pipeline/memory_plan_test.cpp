#include "pipeline/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <regex>

namespace wsi {
namespace {

constexpr int kHalo = 120;

/// 4 x 4 regions of 8 x 8 tiles of 256; `active_regions` of them all tissue, the others blank.
SlidePlan tissue_plan(int64_t active_regions) {
    const WorkFrame frame{{8192, 8192}, 1, 0.5, 0.5};
    InputSpec spec;
    spec.core_px = 256;
    spec.halo_px = 32;
    const TileGrid tiles(frame.size, spec.core_px, spec.halo_px);
    SlidePlan plan{frame, tiles, RegionGrid(tiles, 2048), spec, {}};
    for (int64_t r = 0; r < plan.regions.count(); ++r)
        plan.active.push_back(r < active_regions ? plan.regions.tiles(plan.regions.at(r))
                                                 : std::vector<TileIndex>{});
    return plan;
}

RunConfig with_memory(int64_t mib) {
    RunConfig run;
    run.memory_mib = mib;
    return run;
}

/// The least memory that the message of a refusal names.
int64_t least_mib(const SlidePlan& plan, int threads, int batch) {
    try {
        plan_memory(with_memory(1), plan, threads, batch, kHalo);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Config);
        std::cmatch found;
        int64_t mib = 0;
        if (std::regex_search(error.what(), found, std::regex("at least (\\d+) MiB")))
            std::from_chars(found[1].first, found[1].second, mib);
        return mib;
    }
    return 0;
}

TEST(MemoryPlanTest, keeps_the_bound_and_what_the_graph_needs) {
    const SlidePlan plan = tissue_plan(16);
    for (const int threads : {1, 2, 8, 64})
        for (const int batch : {1, 4, 32})
            for (int64_t mib = least_mib(plan, threads, batch); mib < 6000; mib += 97) {
                const MemoryPlan memory =
                    plan_memory(with_memory(mib), plan, threads, batch, kHalo);
                ASSERT_LE(memory.total_mib, mib) << threads << " threads, batch " << batch;
                ASSERT_GE(memory.slots, batch + 2);  // else the end of the stream hangs
                ASSERT_GE(memory.open_regions, 2);   // one is filled while one is stored
                ASSERT_GE(memory.finishers, 1);
                ASSERT_LE(memory.finishers, threads);
                ASSERT_GE(memory.cache_bytes, size_t{32} << 20);
            }
}

TEST(MemoryPlanTest, the_least_memory_it_names_is_enough_and_one_less_is_not) {
    const SlidePlan plan = tissue_plan(16);
    for (const int batch : {1, 4, 32}) {
        const int64_t least = least_mib(plan, 4, batch);
        ASSERT_GT(least, 330);
        EXPECT_NO_THROW(plan_memory(with_memory(least), plan, 4, batch, kHalo));
        EXPECT_THROW(plan_memory(with_memory(least - 1), plan, 4, batch, kHalo), Error);
    }
}

TEST(MemoryPlanTest, more_memory_means_more_at_once) {
    const SlidePlan plan = tissue_plan(16);
    MemoryPlan before = plan_memory(with_memory(least_mib(plan, 8, 4)), plan, 8, 4, kHalo);
    EXPECT_EQ(before.finishers, 1);
    for (int64_t mib = before.total_mib; mib < 4000; mib += 50) {
        const MemoryPlan memory = plan_memory(with_memory(mib), plan, 8, 4, kHalo);
        EXPECT_GE(memory.finishers, before.finishers) << mib;
        EXPECT_GE(memory.open_regions, before.open_regions) << mib;
        EXPECT_GE(memory.slots, before.slots) << mib;
        before = memory;
    }
    EXPECT_EQ(before.finishers, 8);
    EXPECT_EQ(before.open_regions, 3);
}

TEST(MemoryPlanTest, zero_means_the_documented_default) {
    const SlidePlan plan = tissue_plan(16);
    const MemoryPlan a = plan_memory(RunConfig{}, plan, 8, 4, kHalo);
    const MemoryPlan b = plan_memory(with_memory(kDefaultMemoryMib), plan, 8, 4, kHalo);
    EXPECT_EQ(a.finishers, b.finishers);
    EXPECT_EQ(a.total_mib, b.total_mib);
}

// A megapixel is 29 MiB while it is separated: what is blank must not be paid for, nor may a slide
// with more regions need more.
TEST(MemoryPlanTest, costs_follow_the_largest_region_not_the_slide) {
    EXPECT_EQ(least_mib(tissue_plan(6), 4, 4), least_mib(tissue_plan(16), 4, 4));
    SlidePlan small = tissue_plan(1);
    small.active[0].resize(1);
    EXPECT_LT(least_mib(small, 4, 4) + 100, least_mib(tissue_plan(16), 4, 4));
    EXPECT_NO_THROW(plan_memory(RunConfig{}, tissue_plan(0), 4, 4, kHalo));
}

TEST(MemoryPlanTest,
     neighbours_of_ten_million_nuclei_fit_and_more_are_refused_with_what_they_need) {
    EXPECT_NO_THROW(check_neighbour_memory(RunConfig{}, 10'000'000));
    try {
        check_neighbour_memory(with_memory(1000), 10'000'000);
        FAIL() << "1000 MiB were enough";
    } catch (const Error& error) {
        std::cmatch found;
        ASSERT_TRUE(std::regex_search(error.what(), found, std::regex(": (\\d+) MiB are needed")));
        int64_t mib = 0;
        std::from_chars(found[1].first, found[1].second, mib);
        EXPECT_NO_THROW(check_neighbour_memory(with_memory(mib), 10'000'000));
        EXPECT_THROW(check_neighbour_memory(with_memory(mib - 1), 10'000'000), Error);
    }
}

/// What a batch check says; empty when it is content.
std::string batch_refusal(int64_t memory_mib, int64_t segmenter_mib, int64_t available_mib,
                          ErrorKind expected) {
    try {
        check_batch_memory(with_memory(memory_mib), tissue_plan(1).spec, 2, 4, segmenter_mib << 20,
                           available_mib << 20);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), expected);
        return error.what();
    }
    return "";
}

TEST(MemoryPlanTest, a_batch_that_does_not_fit_is_refused_before_the_slide) {
    // 330 and 32 MiB for the program, 6 tiles of 320 px and 8 bytes per pixel: 5 MiB.
    EXPECT_EQ(batch_refusal(1000, 700, 1 << 20, ErrorKind::Config),
              "not enough memory for the batch: 2 workers of  and 6 tiles of 320 px need at least "
              "1067 MiB, --memory allows 1000 MiB; raise --memory, or lower --threads or "
              "model.batch");
    EXPECT_EQ(batch_refusal(1067, 700, 1 << 20, ErrorKind::Config), "");
    // Without --memory the budget grows by what the model takes, but the machine does not.
    EXPECT_THAT(batch_refusal(0, 8000, 8000, ErrorKind::Device),
                testing::HasSubstr("need at least 8367 MiB, the machine has 8000 MiB to give"));
    EXPECT_EQ(batch_refusal(0, 8000, 9000, ErrorKind::Device), "");
    EXPECT_GT(available_memory_bytes(), 0);
}

}  // namespace
}  // namespace wsi
