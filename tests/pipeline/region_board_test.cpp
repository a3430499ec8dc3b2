#include "pipeline/region_board.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace wsi {
namespace {

/// 4 x 5 regions of two tiles each way; the regions in `blank` touch no tissue.
SlidePlan make_test_plan(const std::set<int64_t>& blank = {}) {
    const WorkFrame frame{{1000, 800}, 2, 0.5, 0.5};
    const TileGrid tiles(frame.size, 100, 0);
    SlidePlan plan{frame, tiles, RegionGrid(tiles, 200), {}, {}};
    for (int64_t r = 0; r < plan.regions.count(); ++r)
        plan.active.push_back(blank.contains(r) ? std::vector<TileIndex>{}
                                                : plan.regions.tiles(plan.regions.at(r)));
    return plan;
}

TEST(RegionBoardTest, a_region_is_ready_once_all_neighbours_are_mapped) {
    const SlidePlan plan = make_test_plan();
    RegionBoard board(plan);
    std::set<RegionIndex> mapped, ready;
    std::vector<RegionIndex> order = board.to_map();
    ASSERT_EQ(order.size(), 20u);
    std::shuffle(order.begin(), order.end(), std::mt19937(3));
    for (const RegionIndex region : order) {
        mapped.insert(region);
        for (const RegionIndex r : board.mapped(region)) {
            EXPECT_TRUE(ready.insert(r).second) << "announced twice";
            for (const RegionIndex n : plan.regions.neighbourhood(r))
                EXPECT_TRUE(mapped.contains(n));
        }
    }
    EXPECT_EQ(ready.size(), 20u);
}

TEST(RegionBoardTest, blank_neighbours_do_not_hold_a_region_back) {
    std::set<int64_t> blank;
    for (int64_t r = 1; r < 20; ++r) blank.insert(r);
    const SlidePlan plan = make_test_plan(blank);
    RegionBoard board(plan);
    EXPECT_EQ(board.to_map().size(), 1u);
    EXPECT_EQ(board.mapped({0, 0}), (std::vector<RegionIndex>{{0, 0}}));
}

TEST(RegionBoardTest, maps_are_let_go_only_when_nobody_reads_them_again) {
    const SlidePlan plan = make_test_plan();
    RegionBoard board(plan);
    std::vector<RegionIndex> ready;
    for (const RegionIndex region : board.to_map())
        for (const RegionIndex r : board.mapped(region)) ready.push_back(r);
    std::set<RegionIndex> finished, released;
    for (const RegionIndex region : ready) {
        finished.insert(region);
        for (const RegionIndex gone : board.finished(region)) {
            released.insert(gone);
            for (const RegionIndex n : plan.regions.neighbourhood(gone))
                EXPECT_TRUE(finished.contains(n));
        }
    }
    EXPECT_EQ(released.size(), 20u);
    EXPECT_TRUE(board.all_finished());
}

TEST(RegionBoardTest, a_restored_run_goes_on_where_it_stopped) {
    const SlidePlan plan = make_test_plan();
    std::vector<RegionState> states(20, RegionState::Finished);
    states[7] = RegionState::Open;
    states[8] = RegionState::Mapped;
    RegionBoard board(plan, states);
    EXPECT_EQ(board.to_map(), (std::vector<RegionIndex>{plan.regions.at(7)}));
    EXPECT_TRUE(board.ready().empty());
    EXPECT_EQ(board.mapped(plan.regions.at(7)).size(), 2u);
}

TEST(RegionBoardTest, lost_maps_are_made_again_without_finishing_their_region_twice) {
    const SlidePlan plan = make_test_plan();
    std::vector<RegionState> states(20, RegionState::Finished);
    states[7] = RegionState::Open;
    for (const size_t r : {1u, 2u, 3u, 6u, 8u, 11u, 12u, 13u}) states[r] = RegionState::Remap;
    RegionBoard board(plan, states);
    std::vector<RegionIndex> ready;
    for (const RegionIndex region : board.to_map())
        for (const RegionIndex r : board.mapped(region)) ready.push_back(r);
    EXPECT_EQ(ready, (std::vector<RegionIndex>{plan.regions.at(7)}));
    board.finished(plan.regions.at(7));
    EXPECT_TRUE(board.all_finished());
}

}  // namespace
}  // namespace wsi
