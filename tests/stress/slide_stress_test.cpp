// Many threads on one slide and one cache: what each reads must be what a lone reader reads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "io/block_cache.h"
#include "tests/support/slide_factory.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

constexpr int kThreads = 8;

void on_threads(const std::function<void(int thread)>& body) {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back([&body, t] { body(t); });
}

void ramp(const PixelRect& rect, RgbView out) {
    for (int64_t y = 0; y < rect.height; ++y)
        for (int64_t x = 0; x < rect.width; ++x) {
            out(x, y, 0) = static_cast<uint8_t>(rect.x + x);
            out(x, y, 1) = static_cast<uint8_t>(rect.y + y);
            out(x, y, 2) = static_cast<uint8_t>((rect.x + x) / 256 + 16 * ((rect.y + y) / 256));
        }
}

/// How many pixels are not the ramp.
int64_t wrong_pixels(const PixelRect& rect, ConstRgbView got) {
    RgbImage expected(rect.width, rect.height);
    ramp(rect, expected);
    int64_t wrong = 0;
    for (int64_t y = 0; y < rect.height; ++y)
        wrong += !std::equal(got.row(y), got.row(y) + 3 * rect.width, expected.view().row(y));
    return wrong;
}

/// Random blocks of 256 by all threads; those in `bad` must fail each time, the others never.
void read_at_random(const Slide& slide, const std::vector<int64_t>& bad, int reads) {
    const int64_t columns = slide.info().size().width / 256;
    const int64_t blocks = columns * (slide.info().size().height / 256);
    std::atomic<int> failed{0}, wrong{0};
    on_threads([&](int t) {
        std::mt19937 random(static_cast<unsigned>(t));
        RgbImage out(256, 256);
        for (int i = 0; i < reads; ++i) {
            const int64_t block = static_cast<int64_t>(random()) % blocks;
            const PixelRect rect{block % columns * 256, block / columns * 256, 256, 256};
            const bool should_fail = std::find(bad.begin(), bad.end(), block) != bad.end();
            const auto failure = slide.read(0, rect, out);
            failed += failure.has_value();
            if (failure.has_value() != should_fail) ++wrong;
            if (!failure && wrong_pixels(rect, out.view()) != 0) ++wrong;
            if (failure && out(0, 0, 0) != 255) ++wrong;
        }
    });
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(failed > 0, !bad.empty());
}

TEST(SlideStressTest, a_handle_that_breaks_costs_the_other_threads_nothing) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {2048, 1024};
    options.corrupt_tiles = {3, 17, 30};
    test::write_svs(dir.file("s.svs"), options, ramp);
    const auto slide = open_slide(dir.file("s.svs"), {});
    read_at_random(*slide, options.corrupt_tiles, 30);
}

TEST(SlideStressTest, many_threads_read_a_flat_image) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {1024, 1024};
    options.downsamples = {1};
    test::write_generic_tiff(dir.file("s.tif"), options, ramp);
    const auto slide = open_slide(dir.file("s.tif"), {});
    read_at_random(*slide, {}, 30);
}

/// A ramp whose blocks can fail as data, or throw.
class MemorySlide final : public Slide {
public:
    MemorySlide() { info_.levels = {{{5120, 5120}, 1, {}}}; }
    const SlideInfo& info() const override { return info_; }
    std::optional<std::string> read(int, const PixelRect& rect, RgbView out) const override {
        ++reads;
        std::this_thread::yield();
        if (throwing) fail(ErrorKind::Device, "the slide has gone");
        ramp(rect, out);
        if (rect.x == rect.y) return "broken";
        return std::nullopt;
    }
    mutable std::atomic<int> reads{0};
    std::atomic<bool> throwing{false};

private:
    SlideInfo info_;
};

TEST(BlockCacheStressTest, blocks_are_right_while_others_push_them_out) {
    const MemorySlide slide;
    BlockCache cache(slide, 0, 1);  // room for the least number of blocks: 4 of 100
    std::atomic<int> wrong{0};
    on_threads([&](int t) {
        std::mt19937 random(static_cast<unsigned>(t));
        for (int i = 0; i < 50; ++i) {
            const int64_t row = random() % 10, column = random() % 10;
            const auto block = cache.get(row, column);
            if (block->rect != PixelRect{column * 512, row * 512, 512, 512}) ++wrong;
            if (block->failure.has_value() != (row == column)) ++wrong;
            if (wrong_pixels(block->rect, block->rgb.view()) != 0) ++wrong;
        }
    });
    EXPECT_EQ(wrong, 0);
    EXPECT_GE(slide.reads, 100);
    EXPECT_LE(slide.reads, kThreads * 50);
}

TEST(BlockCacheStressTest, all_that_wait_for_a_block_get_the_one_decoding) {
    const MemorySlide slide;
    BlockCache cache(slide, 0, size_t{1} << 30);
    on_threads([&](int) {
        for (int64_t i = 0; i < 100; ++i) cache.get(i / 10, i % 10);
    });
    EXPECT_EQ(slide.reads, 100);
}

// A vanished slide must be told as such by whichever thread is heard first.
TEST(BlockCacheStressTest, all_that_wait_for_a_block_get_its_error) {
    MemorySlide slide;
    slide.throwing = true;
    BlockCache cache(slide, 0, size_t{1} << 30);
    std::atomic<int> told{0}, other{0};
    on_threads([&](int) {
        for (int64_t i = 0; i < 100; ++i) try {
                cache.get(i / 10, i % 10);
                ++other;
            } catch (const Error& error) {
                told += error.kind() == ErrorKind::Device;
            } catch (const std::exception&) {
                ++other;
            }
    });
    EXPECT_EQ(told, kThreads * 100);
    EXPECT_EQ(other, 0);
}

}  // namespace
}  // namespace wsi
