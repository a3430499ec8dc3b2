#include "io/work_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "tests/support/data_dir.h"
#include "tests/support/slide_factory.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

/// Red = x, green = y at level 0 (modulo 250); one level.
class RampSlide final : public Slide {
public:
    RampSlide(PixelSize size, double mpp) {
        info_.path = "ramp";
        info_.levels = {{size, 1, {}}};
        info_.mpp_x = info_.mpp_y = mpp;
        info_.bounds = {0, 0, size.width, size.height};
    }
    const SlideInfo& info() const override { return info_; }
    std::optional<std::string> read(int, const PixelRect& rect, RgbView out) const override {
        ++reads;
        for (int64_t y = 0; y < rect.height; ++y)
            for (int64_t x = 0; x < rect.width; ++x) {
                out(x, y, 0) = static_cast<uint8_t>((rect.x + x) * 200 / info_.size().width);
                out(x, y, 1) = static_cast<uint8_t>((rect.y + y) * 200 / info_.size().height);
                out(x, y, 2) = 128;
            }
        if (!bad.empty() && !intersection(rect, bad).empty()) return "broken";
        return std::nullopt;
    }
    PixelRect bad;
    mutable std::atomic<int> reads{0};

private:
    SlideInfo info_;
};

void expect_rectangle_independent(const Slide& slide, double mpp) {
    const WorkFrame frame = make_work_frame(slide.info(), Mpp{mpp});
    const WorkReader reader(slide, frame, 4 << 20);
    const PixelRect all = intersection(frame.rect(), {0, 0, 900, 800});
    RgbImage whole(all.width, all.height);
    reader.read(all, whole);
    std::mt19937 random(3);
    for (int trial = 0; trial < 40; ++trial) {
        const auto draw = [&](int64_t n) {
            return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
        };
        PixelRect rect{draw(all.width) - 20, draw(all.height) - 20, 1 + draw(300), 1 + draw(300)};
        RgbImage part(rect.width, rect.height);
        reader.read(rect, part);
        const PixelRect common = intersection(rect, all);
        for (int64_t y = common.y; y < common.bottom(); ++y)
            for (int64_t x = common.x; x < common.right(); ++x)
                for (int c = 0; c < 3; ++c)
                    ASSERT_EQ(part(x - rect.x, y - rect.y, c), whole(x, y, c)) << x << "," << y;
    }
}

TEST(WorkReaderTest, a_pixel_does_not_depend_on_the_rectangle) {
    for (const double mpp : {0.25, 0.27, 0.31, 0.52, 2.0, 0.2, 0.15})
        expect_rectangle_independent(RampSlide({2000, 1700}, 0.25), mpp);
}

TEST(WorkReaderDataTest, a_pixel_of_a_real_slide_does_not_depend_on_the_rectangle) {
    WSI_NEED_DATA();
    for (const char* name :
         {"pathologyatlas-BS25/BS25-HE_roi.svs", "pathologyatlas-giardia/giardia_roi.tif",
          "openslide-CMU/CMU-1-Small-Region.svs", "instanseg-instanseg/HE_example.tif"})
        expect_rectangle_independent(
            *open_slide(test::data_dir() + "/slides/" + name, SlideConfig{}), 0.5);
}

TEST(WorkReaderTest, coordinates_hold_at_odd_ratios) {
    const RampSlide slide({4000, 3000}, 0.25);
    for (const double mpp : {0.31, 0.47, 1.13}) {
        const WorkFrame frame = make_work_frame(slide.info(), Mpp{mpp});
        const WorkReader reader(slide, frame, 4 << 20);
        RgbImage pixel(1, 1);
        for (const int64_t at : {int64_t{0}, frame.size.width / 3, frame.size.width - 2}) {
            reader.read({at, 0, 1, 1}, pixel);
            const double level0 = frame.to_level0(static_cast<double>(at) + 0.5);
            EXPECT_NEAR(pixel(0, 0, 0), level0 * 200 / 4000, 1.1) << mpp << " " << at;
        }
    }
}

TEST(WorkReaderTest, a_bad_block_is_told_and_the_others_are_read) {
    RampSlide slide({2000, 2000}, 0.5);
    slide.bad = {600, 600, 10, 10};
    const WorkReader reader(slide, make_work_frame(slide.info(), Mpp{0.5}), 1 << 20);
    RgbImage image(1500, 1500);
    const auto failures = reader.read({0, 0, 1500, 1500}, image);
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].rect_lvl, (PixelRect{512, 512, 512, 512}));
    EXPECT_EQ(failures[0].message, "broken");
    EXPECT_EQ(image(100, 100, 2), 128);
}

TEST(WorkReaderTest, many_threads_read_each_block_once) {
    const RampSlide slide({2048, 2048}, 0.5);
    const WorkReader reader(slide, make_work_frame(slide.info(), Mpp{0.5}), 64 << 20);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&] {
                RgbImage image(2048, 2048);
                reader.read({0, 0, 2048, 2048}, image);
                EXPECT_EQ(image(2047, 0, 0), 199);
            });
    }
    EXPECT_EQ(slide.reads, 16);
}

TEST(WorkReaderTest, a_rectangle_reads_each_block_once_however_little_is_kept) {
    const RampSlide slide({4096, 3000}, 0.5);  // 8 x 6 blocks
    for (const double mpp : {0.8, 1.0, 1.7, 7.9}) {
        const WorkFrame frame = make_work_frame(slide.info(), Mpp{mpp});
        const WorkReader reader(slide, frame, 0);  // four blocks at most
        slide.reads = 0;
        RgbImage image(frame.size.width, frame.size.height);
        reader.read(frame.rect(), image);
        EXPECT_EQ(slide.reads, 48) << mpp;
    }
}

TEST(WorkReaderTest, a_wide_image_made_small_is_the_same_in_stripes) {
    const RampSlide slide({40000, 700}, 0.5);
    const WorkFrame frame = make_work_frame(slide.info(), Mpp{8.3});
    const WorkReader reader(slide, frame, 0);
    RgbImage whole(frame.size.width, frame.size.height), piece(1, 1);
    reader.read(frame.rect(), whole);
    EXPECT_LE(slide.reads, 79 * 2 + 2 * 5);  // blocks, and those that two stripes share
    for (int64_t y = 0; y < frame.size.height; y += 7)
        for (int64_t x = 0; x < frame.size.width; x += 3) {
            reader.read({x, y, 1, 1}, piece);
            ASSERT_TRUE(std::equal(piece.data(), piece.data() + 3, whole.view().at(x, y)))
                << x << "," << y;
        }
}

TEST(WorkFrameTest, near_levels_are_taken_and_coarse_slides_refused) {
    SlideInfo info;
    info.path = "s";
    info.levels = {{{4000, 3000}, 1, {}}, {{2000, 1500}, 2, {}}, {{500, 375}, 8, {}}};
    info.mpp_x = info.mpp_y = 0.2528;
    EXPECT_EQ(make_work_frame(info, Mpp{0.5}).downsample, 2);
    EXPECT_DOUBLE_EQ(make_work_frame(info, Mpp{0.5}).mpp_x, 0.5056);
    info.mpp_x = info.mpp_y = 0.2630;  // level 1 would be 5.2 % off
    EXPECT_NEAR(make_work_frame(info, Mpp{0.5}).downsample, 1.9011, 1e-4);
    info.mpp_x = info.mpp_y = 0.504;  // 20x scanners' pixels do for a model of 0.25 µm, too
    EXPECT_NEAR(make_work_frame(info, Mpp{0.25}).downsample, 0.496, 1e-3);
    info.mpp_x = info.mpp_y = 1.2;
    try {
        make_work_frame(info, Mpp{0.5});
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("too coarse"));
    }
}

TEST(SlideTest, missing_and_corrupt_tiles_cost_themselves_alone) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {2048, 2048};
    options.tile_px = 512;
    options.missing_tiles = {5};
    options.corrupt_tiles = {0};
    test::write_svs(dir.file("s.svs"), options, [](const PixelRect&, RgbView out) {
        for (int64_t y = 0; y < out.height; ++y)
            std::fill_n(out.row(y), 3 * out.width, uint8_t{90});
    });
    const auto slide = open_slide(dir.file("s.svs"), SlideConfig{});
    EXPECT_EQ(slide->info().vendor, "aperio");
    EXPECT_DOUBLE_EQ(slide->info().mpp_x, 0.25);
    RgbImage block(512, 512);
    for (int again = 0; again < 2; ++again) {
        EXPECT_TRUE(slide->read(0, {0, 0, 512, 512}, block).has_value());
        EXPECT_EQ(block(9, 9, 0), 255);  // painted as background
        EXPECT_FALSE(slide->read(0, {1024, 0, 512, 512}, block).has_value());
        EXPECT_EQ(block(9, 9, 0), 90);
    }
    EXPECT_FALSE(slide->read(0, {512, 512, 512, 512}, block).has_value());
    EXPECT_EQ(block(9, 9, 0), 255);  // a tile that was never stored is glass
}

TEST(SlideTest, the_resolution_override_is_used_and_contradictions_are_told) {
    const test::TempDir dir;
    test::write_generic_tiff(dir.file("s.tif"), {}, [](const PixelRect&, RgbView out) {
        for (int64_t y = 0; y < out.height; ++y)
            std::fill_n(out.row(y), 3 * out.width, uint8_t{200});
    });
    EXPECT_EQ(open_slide(dir.file("s.tif"), SlideConfig{})->info().mpp_source, MppSource::TiffTags);
    SlideConfig config;
    config.mpp = 0.4;
    EXPECT_EQ(open_slide(dir.file("s.tif"), config)->info().mpp_x, 0.4);
    test::SlideOptions none;
    none.mpp = 0;
    test::write_svs(dir.file("n.svs"), none, [](const PixelRect&, RgbView out) {
        for (int64_t y = 0; y < out.height; ++y)
            std::fill_n(out.row(y), 3 * out.width, uint8_t{200});
    });
    const auto guessed = open_slide(dir.file("n.svs"), SlideConfig{});
    EXPECT_EQ(guessed->info().mpp_source, MppSource::ObjectivePower);
    ASSERT_EQ(guessed->info().warnings.size(), 1u);
    EXPECT_THAT(guessed->info().warnings[0], testing::HasSubstr("--slide-mpp"));
}

}  // namespace
}  // namespace wsi
