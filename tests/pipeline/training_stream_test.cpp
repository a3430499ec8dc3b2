#include "pipeline/training_stream.h"

#include <gmock/gmock.h>
#include <tbb/global_control.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace wsi {

namespace {

/// A patch that says which sample it is.
TrainingPatch numbered(int64_t sample) {
    TrainingPatch patch{RgbImage(2, 2, static_cast<uint8_t>(sample)), LabelImage(2, 2)};
    patch.ids.fill(static_cast<uint32_t>(sample));
    return patch;
}

int64_t number_of(const TrainingPatch& patch) { return patch.ids(1, 1); }

}  // namespace

TEST(TrainingStreamTest, batches_come_in_the_order_of_numbers_whatever_the_order_of_making) {
    // More workers than this machine may have cores.
    const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, 12);
    for (const int workers : {1, 2, 8}) {
        std::atomic<int> working{0}, most{0};
        TrainingStream stream({12, 60, 4, workers, 3}, [&](int64_t sample) {
            const int now = ++working;
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            // The first of each batch takes the longest.
            std::this_thread::sleep_for(std::chrono::milliseconds(sample % 4 == 0 ? 20 : 5));
            --working;
            return numbered(sample);
        });
        int64_t expected = 12;
        for (int step = 0; step < 12; ++step)
            for (const TrainingPatch& patch : stream.next())
                EXPECT_EQ(number_of(patch), expected++) << workers << " workers";
        EXPECT_EQ(expected, 60);
        // How many run at once is the system's to say; several do, and never too many.
        EXPECT_LE(most, workers);
        EXPECT_GE(most, std::min(workers, 2));
    }
}

TEST(TrainingStreamTest, makes_no_more_ahead_than_its_tokens) {
    std::atomic<int64_t> made{0};
    TrainingStream stream({0, 1000, 4, 3, 2}, [&](int64_t sample) {
        ++made;
        return numbered(sample);
    });
    for (int64_t step = 1; step <= 5; ++step) {
        stream.next();
        const int64_t ahead = 4 * step + 8;  // handed out, and two batches ahead
        for (int wait = 0; made < ahead && wait < 1000; ++wait)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        EXPECT_EQ(made, ahead);
    }
}

TEST(TrainingStreamTest, an_error_reaches_the_trainer_and_ends_the_stream) {
    TrainingStream stream({0, 100, 2, 2, 2}, [](int64_t sample) {
        if (sample == 7) fail(ErrorKind::Slide, "sample 7 cannot be read");
        return numbered(sample);
    });
    try {
        for (int step = 0; step < 50; ++step) stream.next();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("sample 7 cannot be read"));
    }
}

TEST(TrainingStreamTest, is_dropped_halfway_without_waiting_for_the_rest) {
    std::atomic<int64_t> made{0};
    for (int round = 0; round < 20; ++round) {
        TrainingStream stream({0, 1000000, 2, 4, 2}, [&](int64_t sample) {
            ++made;
            return numbered(sample);
        });
        if (round % 2 == 0) {
            EXPECT_EQ(number_of(stream.next().front()), 0);
        }
    }
    EXPECT_LT(made, 200);
}

}  // namespace wsi
