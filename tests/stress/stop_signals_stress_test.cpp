#include <gtest/gtest.h>

#include <barrier>
#include <csignal>
#include <thread>
#include <vector>

#include "pipeline/stop_signals.h"

namespace wsi {
namespace {

TEST(StopSignalsTest, one_finishes_a_second_cancels_a_third_ends) {
    std::atomic<StopRequest>& stop = install_stop_signals();
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
        stop = StopRequest::None;
        std::raise(signal);
        EXPECT_EQ(stop, StopRequest::Finish);
        std::raise(SIGTERM);
        EXPECT_EQ(stop, StopRequest::Cancel);
        EXPECT_EXIT(std::raise(SIGTERM), testing::ExitedWithCode(130), "stopped at once");
    }
}

// A scheduler may send two signals at once, to two threads: the second must not be lost.
TEST(StopSignalsStressTest, two_at_once_count_as_two) {
    std::atomic<StopRequest>& stop = install_stop_signals();
    constexpr int kRounds = 20000;
    int lost = 0;
    std::barrier begin(2), end(2);
    const auto signal_self = [&](int signal, bool first) {
        for (int round = 0; round < kRounds; ++round) {
            if (first) stop = StopRequest::None;
            begin.arrive_and_wait();
            std::raise(signal);  // handled by this very thread
            end.arrive_and_wait();
            if (first) lost += stop != StopRequest::Cancel;
        }
    };
    {
        std::jthread other([&] { signal_self(SIGTERM, false); });
        signal_self(SIGINT, true);
    }
    EXPECT_EQ(lost, 0) << "of " << kRounds;
}

}  // namespace
}  // namespace wsi
