#include "io/flat_slide.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <vips/vips8>

#include "io/tiled_scratch.h"
#include "io/vips_setup.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr double kPixelsPerMm = 4000;  // 0.25 µm per pixel

/// Every pixel differs from its neighbours, every row and column from the others nearby.
RgbImage pattern(PixelSize size) {
    RgbImage image(size.width, size.height);
    for (int64_t y = 0; y < size.height; ++y)
        for (int64_t x = 0; x < size.width; ++x) {
            image(x, y, 0) = static_cast<uint8_t>(x * 7 + y);
            image(x, y, 1) = static_cast<uint8_t>(y * 5 + x / 256);
            image(x, y, 2) = static_cast<uint8_t>(x + y * 3 + y / 256);
        }
    return image;
}

/// Colours change slowly, so that lossy compression keeps them.
RgbImage smooth(PixelSize size) {
    RgbImage image(size.width, size.height);
    for (int64_t y = 0; y < size.height; ++y)
        for (int64_t x = 0; x < size.width; ++x) {
            image(x, y, 0) = static_cast<uint8_t>(200 * x / size.width);
            image(x, y, 1) = static_cast<uint8_t>(200 * y / size.height);
            image(x, y, 2) = 150;
        }
    return image;
}

/// Saves samples as the suffix of `path` says, with a resolution of 0.25 µm per pixel.
template <class Sample>
void save(const std::string& path, std::vector<Sample> samples, PixelSize size,
          vips::VOption* options = nullptr) {
    set_up_vips();
    const auto bands = static_cast<int>(static_cast<int64_t>(samples.size()) / size.area());
    const VipsInterpretation meanings[2][2] = {
        {VIPS_INTERPRETATION_B_W, VIPS_INTERPRETATION_sRGB},
        {VIPS_INTERPRETATION_GREY16, VIPS_INTERPRETATION_RGB16}};
    vips::VImage image = vips::VImage::new_from_memory(
        samples.data(), samples.size() * sizeof(Sample), static_cast<int>(size.width),
        static_cast<int>(size.height), bands,
        sizeof(Sample) == 1 ? VIPS_FORMAT_UCHAR : VIPS_FORMAT_USHORT);
    image = image.copy(vips::VImage::option()
                           ->set("interpretation", meanings[sizeof(Sample) - 1][bands > 2])
                           ->set("xres", kPixelsPerMm)
                           ->set("yres", kPixelsPerMm));
    image.write_to_file(path.c_str(), options);
}

void save(const std::string& path, const RgbImage& image, vips::VOption* options = nullptr) {
    save(path, std::vector<uint8_t>(image.data(), image.data() + image.size().area() * 3),
         image.size(), options);
}

SlideConfig quarter_micron() {
    SlideConfig config;
    config.mpp = 0.25;
    return config;
}

RgbImage read_all(const Slide& slide) {
    const PixelSize size = slide.info().size();
    RgbImage out(size.width, size.height);
    EXPECT_EQ(slide.read(0, {0, 0, size.width, size.height}, out), std::nullopt);
    return out;
}

int most_difference(const RgbImage& a, const RgbImage& b) {
    EXPECT_EQ(a.size(), b.size());
    int most = 0;
    for (int64_t i = 0; i < 3 * a.size().area(); ++i)
        most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
    return most;
}

/// What opening and unpacking say; fails the test when they succeed.
struct Refusal {
    ErrorKind kind;
    std::string line;
};
Refusal refusal(const std::string& path, const FlatStorage& storage = {}) {
    try {
        open_flat_image(path, quarter_micron(), storage)->make_ready({});
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        return {error.kind(), error.what()};
    }
    ADD_FAILURE() << path << " was opened";
    return {ErrorKind::Internal, ""};
}

/// Names in a folder; and files that this process holds open there though they have no name.
std::vector<std::string> files_of(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        found.push_back(entry.path().filename().string());
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        if (const auto target = std::filesystem::read_symlink(entry, gone).string();
            target.starts_with(folder + "/"))
            found.push_back(target);
    return found;
}

TEST(FlatSlideTest, lossless_formats_give_back_every_pixel) {
    const test::TempDir dir;
    const RgbImage image = pattern({300, 200});
    save(dir.file("a.png"), image);
    save(dir.file("a.tif"), image);  // in strips, which OpenSlide refuses
    save(dir.file("a.jp2"), image, vips::VImage::option()->set("lossless", true));
    for (const char* name : {"a.png", "a.tif", "a.jp2"}) {
        // Through the door that users take: OpenSlide is asked first.
        const auto slide = open_slide(dir.file(name), quarter_micron());
        EXPECT_EQ(most_difference(read_all(*slide), image), 0) << name;
        EXPECT_EQ(slide->info().vendor, std::string("flat-") + (name + 2));
        EXPECT_EQ(slide->info().size(), image.size());
        EXPECT_EQ(slide->info().hash.size(), 64u);
    }
    for (const char* name : {"a.png", "a.tif"}) {  // these say their resolution
        const SlideInfo info = open_slide(dir.file(name), SlideConfig{})->info();
        EXPECT_NEAR(info.mpp_x, 0.25, 1e-3) << name;
        EXPECT_EQ(info.mpp_source, MppSource::TiffTags);
    }
}

TEST(FlatSlideTest, jpeg_gives_back_the_colours_nearly) {
    const test::TempDir dir;
    const RgbImage image = smooth({640, 480});
    save(dir.file("a.jpg"), image, vips::VImage::option()->set("Q", 95));
    EXPECT_LE(most_difference(read_all(*open_slide(dir.file("a.jpg"), quarter_micron())), image),
              8);
}

TEST(FlatSlideTest, alpha_is_laid_on_white) {
    const test::TempDir dir;
    std::vector<uint8_t> samples;
    for (int alpha = 0; alpha < 256; ++alpha)
        for (const int v : {10, 100, 200, alpha}) samples.push_back(static_cast<uint8_t>(v));
    save(dir.file("a.png"), samples, {256, 1});
    const RgbImage got = read_all(*open_slide(dir.file("a.png"), quarter_micron()));
    for (int alpha = 0; alpha < 256; ++alpha) {
        const int expected[3] = {(10 * alpha + 255 * (255 - alpha)) / 255,
                                 (100 * alpha + 255 * (255 - alpha)) / 255,
                                 (200 * alpha + 255 * (255 - alpha)) / 255};
        for (int c = 0; c < 3; ++c)
            ASSERT_NEAR(got(alpha, 0, c), expected[c], 1) << alpha << " " << c;
    }
    EXPECT_EQ(got(0, 0, 0), 255);
    EXPECT_EQ(got(255, 0, 0), 10);
}

TEST(FlatSlideTest, what_is_not_8_bit_rgb_is_refused_by_name) {
    const test::TempDir dir;
    const PixelSize size{30, 20};
    const auto area = static_cast<size_t>(size.area());
    save(dir.file("grey.png"), std::vector<uint8_t>(area, 90), size);
    save(dir.file("grey_alpha.png"), std::vector<uint8_t>(2 * area, 90), size);
    save(dir.file("deep.png"), std::vector<uint16_t>(3 * area, 9000), size);
    save(dir.file("deep_grey.tif"), std::vector<uint16_t>(area, 9000), size);
    save(dir.file("five.tif"), std::vector<uint8_t>(5 * area, 90), size);
    const std::pair<const char*, const char*> cases[] = {{"grey.png", "one band (greyscale)"},
                                                         {"grey_alpha.png", "greyscale with alpha"},
                                                         {"deep.png", "pixels are 16-bit"},
                                                         {"deep_grey.tif", "pixels are 16-bit"},
                                                         {"five.tif", "5 bands are not RGB"}};
    for (const auto& [name, what] : cases) {
        const Refusal got = refusal(dir.file(name));
        EXPECT_EQ(got.kind, ErrorKind::Slide);
        EXPECT_THAT(got.line, AllOf(HasSubstr(name), HasSubstr(what), HasSubstr("8-bit RGB")));
    }
}

TEST(FlatSlideTest, a_cut_file_is_refused) {
    const test::TempDir dir;
    save(dir.file("a.png"), pattern({600, 500}));
    std::filesystem::resize_file(dir.file("a.png"), 20000);
    for (const int64_t most : {int64_t{1} << 30, int64_t{1000}}) {  // in memory, and spooled
        const Refusal got = refusal(dir.file("a.png"), {dir.file("s"), most});
        EXPECT_EQ(got.kind, ErrorKind::Slide);
        EXPECT_THAT(got.line, AllOf(HasSubstr("a.png"), HasSubstr("cannot be decoded")));
    }
    EXPECT_TRUE(files_of(dir.file("s")).empty());
}

TEST(FlatSlideTest, a_spooled_image_reads_as_one_in_memory) {
    const test::TempDir dir;
    // Cut tiles at both ends, and one whole tile in the middle.
    const RgbImage image = pattern({2 * TiledScratch::kTileSide + 77, 1300});
    save(dir.file("a.png"), image);
    const auto spooled = open_flat_image(dir.file("a.png"), quarter_micron(), {dir.file("s"), 0});
    const auto held = open_flat_image(dir.file("a.png"), quarter_micron(), {dir.file("s")});
    spooled->make_ready({});
    EXPECT_EQ(spooled->info().levels[0].tile.width, TiledScratch::kTileSide);
    EXPECT_EQ(held->info().levels[0].tile.width, 0);
    EXPECT_EQ(files_of(dir.file("s")).size(), 1u);  // the spooled one's, and it has no name
    EXPECT_EQ(most_difference(read_all(*spooled), image), 0);
    std::mt19937 random(5);
    for (int trial = 0; trial < 60; ++trial) {
        const auto draw = [&](int64_t n) {
            return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
        };
        const PixelRect rect{draw(1200) - 40, draw(1400) - 40, 1 + draw(700), 1 + draw(700)};
        RgbImage a(rect.width, rect.height), b(rect.width, rect.height);
        EXPECT_EQ(spooled->read(0, rect, a), std::nullopt);
        EXPECT_EQ(held->read(0, rect, b), std::nullopt);
        ASSERT_EQ(most_difference(a, b), 0) << rect.x << "," << rect.y;
    }
}

TEST(FlatSlideTest, a_look_at_a_large_image_leaves_nothing_on_disk) {
    const test::TempDir dir;
    const RgbImage image = pattern({900, 1300});
    save(dir.file("a.png"), image);
    const auto slide = open_flat_image(dir.file("a.png"), quarter_micron(), {dir.file("s"), 0});
    const PixelRect middle{200, 500, 400, 300};
    RgbImage seen(middle.width, middle.height), read(middle.width, middle.height);
    EXPECT_EQ(slide->glance(0, middle, seen), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(dir.file("s")));
    EXPECT_EQ(slide->read(0, middle, read), std::nullopt);  // unpacks it unasked
    EXPECT_EQ(files_of(dir.file("s")).size(), 1u);
    EXPECT_EQ(most_difference(seen, read), 0);
    EXPECT_EQ(seen(7, 9, 1), image(207, 509, 1));
}

TEST(FlatSlideTest, unpacking_says_how_far_it_is_and_may_be_given_up) {
    const test::TempDir dir;
    const RgbImage image = pattern({900, 1300});
    save(dir.file("a.png"), image);
    const auto slide = open_flat_image(dir.file("a.png"), quarter_micron(), {dir.file("s"), 0});
    const auto give_up = [](double) { fail(ErrorKind::Cancelled, "enough"); };
    EXPECT_THROW(slide->make_ready(give_up), Error);
    EXPECT_TRUE(files_of(dir.file("s")).empty());
    std::vector<double> said;
    slide->make_ready([&](double fraction) { said.push_back(fraction); });
    EXPECT_GT(said.size(), 3u);
    EXPECT_TRUE(std::ranges::is_sorted(said));
    EXPECT_EQ(said.back(), 1);
    EXPECT_EQ(most_difference(read_all(*slide), image), 0);
}

TEST(FlatSlideTest, alpha_is_laid_on_white_in_a_spooled_image_too) {
    const test::TempDir dir;
    save(dir.file("a.png"), std::vector<uint8_t>(4 * 700 * 600, 60), {700, 600});
    const auto storage = FlatStorage{dir.file("s"), 0};
    EXPECT_NEAR(
        read_all(*open_flat_image(dir.file("a.png"), quarter_micron(), storage))(699, 599, 1),
        60 * 60 / 255 + 195, 1);
}

TEST(FlatSlideTest, the_scratch_file_has_no_name_and_goes_with_the_slide) {
    const test::TempDir dir;
    save(dir.file("a.png"), pattern({700, 600}));
    auto slide = open_flat_image(dir.file("a.png"), quarter_micron(), {dir.file("s"), 0});
    slide->make_ready({});
    EXPECT_TRUE(std::filesystem::is_empty(dir.file("s")));
    EXPECT_EQ(files_of(dir.file("s")).size(), 1u);
    slide.reset();
    EXPECT_TRUE(files_of(dir.file("s")).empty());
}

TEST(FlatSlideTest, an_interlaced_image_is_refused_when_it_is_too_large_to_hold) {
    const test::TempDir dir;
    save(dir.file("a.png"), pattern({700, 600}), vips::VImage::option()->set("interlace", true));
    save(dir.file("a.jpg"), smooth({700, 600}), vips::VImage::option()->set("interlace", true));
    for (const char* name : {"a.png", "a.jpg"}) {
        const Refusal got = refusal(dir.file(name), {dir.file("s"), 1000, 1 << 20});
        EXPECT_EQ(got.kind, ErrorKind::Slide);
        EXPECT_THAT(got.line, AllOf(HasSubstr(name), HasSubstr("700 x 600"),
                                    HasSubstr("without interlacing")));
        open_flat_image(dir.file(name), quarter_micron(), {dir.file("s"), 1000, 2 << 20});
    }
}

TEST(FlatSlideTest, a_scratch_folder_that_cannot_be_is_the_environments_fault) {
    const test::TempDir dir;
    save(dir.file("a.png"), pattern({700, 600}));
    std::ofstream(dir.file("file")) << "no folder";
    const Refusal got = refusal(dir.file("a.png"), {dir.file("file/s"), 0});
    EXPECT_EQ(got.kind, ErrorKind::Output);
    EXPECT_THAT(got.line, AllOf(HasSubstr("a.png"), HasSubstr("scratch file"), HasSubstr("file/s"),
                                HasSubstr("Not a directory")));
}

/// No file may grow beyond so many bytes while it lives: what a full disk looks like.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(FlatSlideTest, a_full_scratch_disk_is_the_environments_fault) {
    const test::TempDir dir;
    save(dir.file("a.png"), pattern({1500, 1200}));
    Refusal got;
    {
        const FileSizeLimit limit(1 << 20);
        got = refusal(dir.file("a.png"), {dir.file("s"), 0});
    }
    EXPECT_EQ(got.kind, ErrorKind::Output);
    EXPECT_THAT(got.line, AllOf(HasSubstr("a.png"), HasSubstr("scratch file"), HasSubstr("5 MiB"),
                                HasSubstr("File too large"), HasSubstr("free disk space")));
    EXPECT_TRUE(files_of(dir.file("s")).empty());
}

TEST(TiledScratchTest, a_block_lies_in_one_piece_of_the_file) {
    const test::TempDir dir;
    const int64_t side = TiledScratch::kTileSide;
    const RgbImage image = pattern({20 * side, 2 * side});
    TiledScratch scratch(image.size(), dir.path().string(), "test");
    // In bands that end within tiles, as a decoder hands them over.
    for (int64_t y = 0; y < image.height(); y += 300)
        scratch.write_rows(
            y, image.view().crop({0, y, image.width(), std::min<int64_t>(300, 2 * side - y)}));
    // The second tile of the second row, found in the file as its bytes stand there.
    std::string bytes;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (std::filesystem::read_symlink(entry, gone).string().starts_with(dir.path().string()))
            bytes = [&] {
                std::ifstream in(entry.path(), std::ios::binary);
                return std::string(std::istreambuf_iterator<char>(in), {});
            }();
    }
    ASSERT_EQ(bytes.size(), static_cast<size_t>(3 * image.size().area()));
    std::string tile;
    for (int64_t y = side; y < 2 * side; ++y)
        tile.append(reinterpret_cast<const char*>(image.view().at(side, y)),
                    static_cast<size_t>(3 * side));
    EXPECT_NE(bytes.find(tile), std::string::npos);
}

}  // namespace
}  // namespace wsi
