#include "io/tiff_tiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <random>

#include "io/slide.h"
#include "tests/support/slide_factory.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

struct TiffForm {
    bool big = false, big_endian = false;
};

/// Bytes of a file, number by number.
class Bytes {
public:
    explicit Bytes(bool big_endian) : big_endian_(big_endian) {}
    void add(uint64_t value, int count) {
        for (int i = 0; i < count; ++i)
            text_ += static_cast<char>(value >> 8 * (big_endian_ ? count - 1 - i : i));
    }
    const std::string& text() const { return text_; }
    void pad_to(size_t size) { text_.resize(size); }

private:
    bool big_endian_;
    std::string text_;
};

/// A TIFF of two equal images, which are directories alone: 600 x 300 pixels in tiles of 256, whose
/// byte counts are as given. The last directory points to `next`, for loops.
std::string two_directories(TiffForm form, const std::vector<uint64_t>& counts, uint64_t next) {
    Bytes out(form.big_endian);
    const int word = form.big ? 8 : 4;
    const auto head = [&] {
        for (int i = 0; i < 2; ++i) out.add(form.big_endian ? 'M' : 'I', 1);
        out.add(form.big ? 43 : 42, 2);
        if (form.big) {
            out.add(8, 2);
            out.add(0, 2);
        }
        out.add(1024, word);
    };
    const auto entry = [&](uint64_t tag, uint64_t type, uint64_t count, uint64_t value) {
        out.add(tag, 2);
        out.add(type, 2);
        out.add(count, word);
        const bool short_value = type == 3;  // stands at the front of the field
        out.add(value, short_value ? 2 : word);
        if (short_value) out.add(0, word - 2);
    };
    const auto directory = [&](size_t at, uint64_t after) {
        out.pad_to(at);
        out.add(5, form.big ? 8 : 2);
        entry(256, 3, 1, 600);
        entry(257, form.big ? 16 : 4, 1, 300);
        entry(322, 3, 1, 256);
        entry(323, 3, 1, 256);
        entry(325, form.big ? 16 : 4, counts.size(), 512);
        out.add(after, word);
    };
    head();
    out.pad_to(512);
    for (const uint64_t count : counts) out.add(count, word);
    directory(1024, 2048);
    directory(2048, next);
    return out.text();
}

std::vector<OversizedTile> scan(const test::TempDir& dir, const std::string& bytes) {
    std::ofstream(dir.file("a.tif"), std::ios::binary) << bytes;
    return oversized_tiles(dir.file("a.tif"));
}

TEST(TiffTilesTest, claims_beyond_the_pixels_are_found_in_every_form) {
    const test::TempDir dir;
    for (const TiffForm form :
         {TiffForm{false, false}, {false, true}, {true, false}, {true, true}}) {
        const std::vector<uint64_t> counts{1000, 2'000'000'000, 70000, 0, 90000, 3'000'000};
        const auto found = scan(dir, two_directories(form, counts, 0));
        ASSERT_EQ(found.size(), 4u) << form.big << form.big_endian;  // two of each image
        EXPECT_EQ(found[0].bytes, 2'000'000'000u);
        EXPECT_EQ(found[0].rect_lvl, (PixelRect{256, 0, 256, 256}));
        EXPECT_EQ(found[1].rect_lvl, (PixelRect{512, 256, 256, 256}));
        EXPECT_EQ(found[0].level, (PixelSize{600, 300}));
    }
}

TEST(TiffTilesTest, chains_that_loop_or_break_end) {
    const test::TempDir dir;
    const std::vector<uint64_t> lie{0, 0, 0, 0, 0, 1 << 30};
    EXPECT_EQ(scan(dir, two_directories({}, lie, 1024)).size(), 2u);
    EXPECT_EQ(scan(dir, two_directories({}, lie, 0xffffff00)).size(), 2u);
    EXPECT_EQ(scan(dir, two_directories({true}, lie, ~uint64_t{0})).size(), 2u);
    EXPECT_TRUE(scan(dir, "").empty());
    EXPECT_TRUE(scan(dir, "II*").empty());
    EXPECT_TRUE(oversized_tiles(dir.file("absent")).empty());
    const std::string whole = two_directories({}, lie, 0);
    for (size_t length = 0; length < whole.size(); length += 7) scan(dir, whole.substr(0, length));
}

/// Changes the byte count of a tile of the first image that has so many tiles.
void claim(const std::string& path, TiffForm form, uint32_t tiles, uint32_t tile, uint32_t bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const int word = form.big ? 8 : 4;
    for (const auto& [type, each] : {std::pair{4, 4}, {16, 8}}) {  // what libtiff may choose
        Bytes entry(false);
        entry.add(325, 2);
        entry.add(static_cast<uint64_t>(type), 2);
        entry.add(tiles, word);
        const size_t at = text.find(entry.text());
        if (at == std::string::npos) continue;
        uint64_t values = 0;
        std::memcpy(&values, text.data() + at + entry.text().size(), static_cast<size_t>(word));
        file.seekp(static_cast<std::streamoff>(values + static_cast<uint64_t>(each) * tile));
        file.write(reinterpret_cast<const char*>(&bytes), 4);
        return;
    }
    FAIL() << "no image of " << tiles << " tiles";
}

void noise(const PixelRect& rect, RgbView out) {
    std::mt19937 random(static_cast<unsigned>(rect.x + 5000 * rect.y));
    for (int64_t y = 0; y < out.height; ++y)
        std::generate_n(out.row(y), 3 * out.width, [&] { return static_cast<uint8_t>(random()); });
}

TEST(SlideTest, a_tile_that_claims_too_many_bytes_is_not_asked_for) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {1024, 1024};
    test::write_svs(dir.file("s.svs"), options, noise);
    claim(dir.file("s.svs"), {}, 16, 5, 0x7fffffff);
    const auto slide = open_slide(dir.file("s.svs"), SlideConfig{});
    ASSERT_EQ(slide->info().vendor, "aperio");
    RgbImage block(256, 256);
    EXPECT_THAT(slide->read(0, {256, 256, 256, 256}, block).value_or(""),
                testing::HasSubstr("claims 2147483647 bytes"));
    EXPECT_EQ(block(9, 9, 0), 255);
    EXPECT_EQ(slide->read(0, {0, 256, 256, 256}, block), std::nullopt);
    EXPECT_EQ(slide->read(1, {0, 0, 256, 256}, block), std::nullopt);  // another level, same place
}

// OpenSlide's levels of an SCN have the size of the collection, not that of the image in the file.
TEST(SlideTest, a_tile_that_claims_too_many_bytes_in_no_level_is_refused) {
    const test::TempDir dir;
    const std::string path = dir.file("s.scn");
    test::write_leica_scn(path, {}, noise);
    EXPECT_EQ(open_slide(path, SlideConfig{})->info().vendor, "leica");
    claim(path, {.big = true}, 48, 5, 0x7fffffff);
    try {
        open_slide(path, SlideConfig{});
        ADD_FAILURE() << "opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Slide);
        EXPECT_EQ(error.what(), path + ": a tile of the image of 2000 x 1500 pixels in it claims " +
                                    "2147483647 bytes; the file is damaged: copy it again, or " +
                                    "convert it to a tiled TIFF");
    }
}

}  // namespace
}  // namespace wsi
