#include "pipeline/cpu_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>
#include <vector>

namespace wsi {
namespace {

constexpr int64_t kMs = 1'000'000;

/// Busy for this much CPU time of the calling thread.
void burn(int64_t ns) {
    for (const int64_t start = cpu_ns(CpuOf::Thread); cpu_ns(CpuOf::Thread) - start < ns;) {
    }
}

int64_t spent(const StageClocks& clocks, Stage stage) {
    return clocks[static_cast<size_t>(stage)].load();
}

TEST(CpuClockTest, counts_work_for_its_stage_alone) {
    StageClocks clocks{};
    {
        const CpuScope scope(clocks, Stage::Separate);
        burn(10 * kMs);
    }
    EXPECT_GE(spent(clocks, Stage::Separate), 10 * kMs);
    EXPECT_LT(spent(clocks, Stage::Separate), 60 * kMs);
    for (size_t s = 0; s < static_cast<size_t>(Stage::Count); ++s)
        EXPECT_EQ(clocks[s] > 0, s == static_cast<size_t>(Stage::Separate)) << kStageNames[s];
}

TEST(CpuClockTest, pieces_of_a_scope_go_to_their_own_stage) {
    StageClocks clocks{};
    {
        SharedCpuScope scope(clocks, Stage::Features, Stage::Contour);
        for (int i = 0; i < 10; ++i) {
            burn(3 * kMs);
            scope.part([] {
                burn(kMs);
                return 0;
            });
        }
    }
    const int64_t features = spent(clocks, Stage::Features),
                  contour = spent(clocks, Stage::Contour);
    EXPECT_GE(features + contour, 40 * kMs);
    EXPECT_NEAR(static_cast<double>(contour) / static_cast<double>(features + contour), 0.25, 0.15);
}

// A stage that waits for the disk or for a core costs nothing: else the shares of a run would
// depend on what else the machine does.
TEST(CpuClockTest, waiting_is_not_work) {
    StageClocks clocks{};
    {
        const CpuScope scope(clocks, Stage::Read);
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
    }
    EXPECT_LT(spent(clocks, Stage::Read), 20 * kMs);
}

TEST(CpuClockTest, threads_add_up_and_do_not_count_one_another) {
    StageClocks clocks{};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&clocks] {
                for (int i = 0; i < 5; ++i) {
                    const CpuScope scope(clocks, Stage::Blend);
                    burn(2 * kMs);
                }
            });
    }
    EXPECT_GE(spent(clocks, Stage::Blend), 40 * kMs);
    EXPECT_LT(spent(clocks, Stage::Blend), 100 * kMs);
}

TEST(CpuClockTest, a_scope_of_the_process_counts_all_its_threads) {
    StageClocks clocks{};
    {
        const CpuScope scope(clocks, Stage::Write, CpuOf::Process);
        std::jthread([] { burn(10 * kMs); }).join();
    }
    EXPECT_GE(spent(clocks, Stage::Write), 10 * kMs);
    move_cpu(clocks, Stage::Write, Stage::Read, 4 * kMs);
    EXPECT_EQ(spent(clocks, Stage::Read), 4 * kMs);
    EXPECT_GE(spent(clocks, Stage::Write), 6 * kMs);
}

TEST(CpuClockTest, every_stage_has_a_name) {
    EXPECT_EQ(std::size(kStageNames), static_cast<size_t>(Stage::Count));
    std::vector<std::string_view> names(std::begin(kStageNames), std::end(kStageNames));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace wsi
