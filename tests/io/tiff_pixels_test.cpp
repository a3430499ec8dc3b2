#include "io/tiff_pixels.h"

#include <gmock/gmock.h>
#include <openslide.h>

#include <cmath>

#include "tests/support/data_dir.h"
#include "tests/support/slide_factory.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

/// Fine detail: neighbours differ much in red, little in the others.
void paint(const PixelRect& rect0, RgbView out) {
    for (int64_t y = 0; y < rect0.height; ++y)
        for (int64_t x = 0; x < rect0.width; ++x) {
            const int64_t u = rect0.x + x, v = rect0.y + y;
            out(x, y, 0) = static_cast<uint8_t>((u * 7 + v * 13) % 251);
            out(x, y, 1) = static_cast<uint8_t>(u / 8 % 251);
            out(x, y, 2) = static_cast<uint8_t>(v / 8 % 251);
        }
}

/// What OpenSlide says, without our program's reader.
RgbImage by_openslide(const std::string& path, const PixelRect& rect_lvl, int level) {
    const std::unique_ptr<openslide_t, decltype(&openslide_close)> slide(
        openslide_open(path.c_str()), &openslide_close);
    const double ratio = openslide_get_level_downsample(slide.get(), level);
    const auto at = [&](int64_t px) { return std::llround(static_cast<double>(px) * ratio); };
    std::vector<uint32_t> argb(static_cast<size_t>(rect_lvl.area()));
    openslide_read_region(slide.get(), argb.data(), at(rect_lvl.x), at(rect_lvl.y), level,
                          rect_lvl.width, rect_lvl.height);
    EXPECT_EQ(openslide_get_error(slide.get()), nullptr);
    RgbImage out(rect_lvl.width, rect_lvl.height);
    for (size_t i = 0; i < argb.size(); ++i)
        for (size_t c = 0; c < 3; ++c)
            out.data()[3 * i + c] = static_cast<uint8_t>(argb[i] >> (16 - 8 * c));
    return out;
}

bool equal(const RgbImage& a, const RgbImage& b) {
    return a.size() == b.size() && std::equal(a.data(), a.data() + 3 * a.size().area(), b.data());
}

/// Mean difference of neighbours in a row, all channels.
double steps(const RgbImage& image) {
    double sum = 0;
    for (int64_t i = 3; i < 3 * image.size().area(); ++i)
        sum += std::abs(image.data()[i] - image.data()[i - 3]);
    return sum / static_cast<double>(3 * image.size().area());
}

double apart(const RgbImage& a, const RgbImage& b) {
    double sum = 0;
    for (int64_t i = 0; i < 3 * a.size().area(); ++i) sum += std::abs(a.data()[i] - b.data()[i]);
    return sum / static_cast<double>(3 * a.size().area());
}

/// Several rectangles of level 0; how many of them were read without OpenSlide.
int expect_openslides_bytes(const std::string& path) {
    const std::unique_ptr<Slide> slide = open_slide(path, {});
    const TiffPixels pixels(path, slide->info().vendor, slide->info().levels);
    const PixelSize size = slide->info().size();
    int read = 0;
    for (int i = 0; i < 6; ++i) {
        const PixelRect rect = intersection({size.width * i / 6, size.height * i / 6, 701, 533},
                                            {0, 0, size.width, size.height});
        RgbImage ours(rect.width, rect.height);
        if (!pixels.read(0, rect, ours)) continue;
        EXPECT_TRUE(equal(ours, by_openslide(path, rect, 0))) << path << " " << i;
        ++read;
    }
    return read;
}

}  // namespace

TEST(TiffPixelsTest, every_pixel_of_every_level_is_the_files) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {1301, 901};  // no level's size is a whole part of this one's
    for (const bool aperio : {true, false}) {
        const std::string path = dir.file(aperio ? "a.svs" : "a.tif");
        (aperio ? test::write_svs : test::write_generic_tiff)(path, options, paint);
        const std::unique_ptr<Slide> slide = open_slide(path, {});
        const auto& levels = slide->info().levels;
        ASSERT_EQ(levels.size(), 3U);
        const TiffPixels pixels(path, slide->info().vendor, levels);
        for (int level = 0; level < 3; ++level) {
            const auto [width, height] = levels[static_cast<size_t>(level)].size;
            const PixelRect rect = intersection({101, 77, 611, 420}, {0, 0, width, height});
            RgbImage part(rect.width, rect.height), again = part;
            ASSERT_TRUE(pixels.read(level, rect, part)) << level;
            EXPECT_FALSE(slide->read(level, rect, again).has_value());
            EXPECT_TRUE(equal(part, again)) << "the slide reads it so";
        }
        const PixelRect rect{300, 200, 511, 400};
        RgbImage painted(rect.width, rect.height), read = painted;
        paint(rect, painted);
        ASSERT_TRUE(pixels.read(0, rect, read));
        EXPECT_TRUE(equal(painted, read));
    }
}

TEST(TiffPixelsTest, leaves_missing_and_damaged_tiles_to_openslide) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.missing_tiles = {0};
    options.corrupt_tiles = {5};
    test::write_svs(dir.file("a.svs"), options, paint);
    const std::unique_ptr<Slide> slide = open_slide(dir.file("a.svs"), {});
    const TiffPixels pixels(dir.file("a.svs"), "aperio", slide->info().levels);
    RgbImage tile(256, 256);
    EXPECT_FALSE(pixels.read(0, {0, 0, 256, 256}, tile));
    EXPECT_FALSE(pixels.read(0, {256, 256, 256, 256}, tile));
    EXPECT_TRUE(pixels.read(0, {512, 256, 256, 256}, tile)) << "the others are read all the same";
    EXPECT_TRUE(slide->read(0, {256, 256, 256, 256}, tile).has_value());
}

TEST(TiffPixelsTest, knows_only_vendors_whose_levels_are_images_of_the_file) {
    const test::TempDir dir;
    test::write_svs(dir.file("a.svs"), {}, paint);
    const std::unique_ptr<Slide> slide = open_slide(dir.file("a.svs"), {});
    RgbImage tile(64, 64);
    const PixelRect rect{0, 0, 64, 64};
    const auto& levels = slide->info().levels;
    EXPECT_FALSE(TiffPixels(dir.file("a.svs"), "leica", levels).read(0, rect, tile));
    std::vector<SlideLevel> others = levels;
    others[0].size.width += 1;
    others[1].tile = {128, 128};
    const TiffPixels pixels(dir.file("a.svs"), "aperio", others);
    EXPECT_FALSE(pixels.read(0, rect, tile));
    EXPECT_FALSE(pixels.read(1, rect, tile));
    EXPECT_TRUE(pixels.read(2, rect, tile));
}

TEST(TiffPixelsDataTest, level_0_has_openslides_bytes) {
    WSI_NEED_DATA();
    EXPECT_EQ(expect_openslides_bytes(std::string(WSI_SOURCE_DIR) +
                                      "/examples/data/CMU-1-Small-Region.svs"),
              6);
    for (const char* slide :
         {"pathologyatlas-BS9/BS9-HE1_gigapixel.tif", "pathologyatlas-BS25/BS25-HE_roi.svs",
          "pathologyatlas-BS13/BS13-HE_roi.tif", "pathologyatlas-seed/seed-plant_roi.svs"})
        EXPECT_EQ(expect_openslides_bytes(test::data_dir() + "/slides/" + slide), 6) << slide;
}

/// Level 1 is half of level 0: OpenSlide takes it for 2.00006 and shows it between pixels.
TEST(TiffPixelsDataTest, a_smaller_level_is_as_sharp_as_it_is_stored) {
    WSI_NEED_DATA();
    const std::string path = test::data_dir() + "/slides/pathologyatlas-BS9/BS9-HE1_gigapixel.tif";
    const std::unique_ptr<Slide> slide = open_slide(path, {});
    RgbImage ours(512, 512);
    ASSERT_FALSE(slide->read(1, {31200, 1900, 512, 512}, ours).has_value());
    const RgbImage theirs = by_openslide(path, {31200, 1900, 512, 512}, 1);
    std::printf("mean step from pixel to pixel %.2f, OpenSlide's %.2f; %.2f apart\n", steps(ours),
                steps(theirs), apart(ours, theirs));
    EXPECT_GT(steps(ours), steps(theirs));
    EXPECT_LT(apart(ours, theirs), 8) << "the same place";
}

}  // namespace wsi
