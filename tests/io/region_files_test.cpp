#include "io/region_files.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

TEST(RegionMapsTest, a_strip_reads_back_what_was_stored_there) {
    const test::TempDir dir;
    const PixelRect core{100, 200, 60, 40}, window = core.grown(5);
    Image<uint16_t> a(window.width, window.height), b(window.width, window.height);
    RgbImage rgb(core.width, core.height);
    std::mt19937 random(1);
    for (int64_t i = 0; i < window.area(); ++i) {
        a.data()[i] = static_cast<uint16_t>(random() % 30000);
        b.data()[i] = static_cast<uint16_t>(random() % 30000);
    }
    for (int64_t i = 0; i < core.area() * 3; ++i) rgb.data()[i] = static_cast<uint8_t>(random());
    const ImageView<const uint16_t> sums[] = {a, b};
    const std::vector<FailedBlock> failures{{1, {0, 512, 512, 512}, "bad — tile"}};
    write_region_maps(dir.file("r"), {window, core, failures}, sums, rgb);

    const RegionMapsReader reader(dir.file("r"));
    EXPECT_EQ(reader.header().core, core);
    ASSERT_EQ(reader.header().failures.size(), 1u);
    EXPECT_EQ(reader.header().failures[0].message, "bad — tile");
    const PixelRect strip{150, 190, 50, 30};  // leaves the window at the right and the top
    Image<uint16_t> got(strip.width, strip.height, 7);
    reader.add_sums(1, strip, got);
    RgbImage colours(strip.width, strip.height, 9);
    reader.copy_rgb(strip, colours);
    for (int64_t y = 0; y < strip.height; ++y)
        for (int64_t x = 0; x < strip.width; ++x) {
            const int64_t wx = strip.x + x, wy = strip.y + y;
            const int expected = window.contains(wx, wy) ? b(wx - window.x, wy - window.y) : 0;
            ASSERT_EQ(got(x, y), expected + 7);
            const int red = core.contains(wx, wy) ? rgb(wx - core.x, wy - core.y, 0) : 9;
            ASSERT_EQ(colours(x, y, 0), red);
        }
}

NucleiBatch sample_nuclei() {
    NucleiBatch batch;
    batch.columns = 2;
    for (int i = 0; i < 50; ++i) {
        NucleusIdentity who;
        who.centroid_x_work = 10 * i % 300;
        who.centroid_y_work = i * 40;  // spans four rows of id cells
        const std::vector<float> row{static_cast<float>(i), static_cast<float>(-i)};
        std::vector<ContourPoint> ring(static_cast<size_t>(3 + i % 4), {i, 2 * i});
        std::vector<PixelRun> runs(static_cast<size_t>(1 + i % 3), {i, i, i + 2});
        batch.append(who, row, ring, runs);
    }
    return batch;
}

TEST(RegionNucleiTest, rows_of_cells_give_back_every_nucleus_once) {
    const test::TempDir dir;
    const NucleiBatch all = sample_nuclei();
    write_region_nuclei(dir.file("n"), all, {});
    const RegionNucleiReader reader(dir.file("n"));
    EXPECT_EQ(reader.count(), 50u);
    size_t i = 0;
    for (int64_t cell_row = 0; cell_row < 6; ++cell_row) {
        const NucleiBatch part = reader.rows_of_cell(cell_row);
        for (size_t k = 0; k < part.size(); ++k, ++i) {
            EXPECT_EQ(part.identity[k].centroid_y_work, all.identity[i].centroid_y_work);
            EXPECT_EQ(part.row(k)[1], all.row(i)[1]);
            EXPECT_TRUE(std::ranges::equal(part.contour(k), all.contour(i)));
            EXPECT_TRUE(std::ranges::equal(part.pixel_runs(k), all.pixel_runs(i)));
        }
    }
    EXPECT_EQ(i, 50u);
}

TEST(RegionNucleiTest, an_empty_region_is_a_valid_file) {
    const test::TempDir dir;
    NucleiBatch none;
    none.columns = 3;
    write_region_nuclei(dir.file("n"), none, {});
    EXPECT_EQ(RegionNucleiReader(dir.file("n")).rows_of_cell(0).size(), 0u);
}

}  // namespace
}  // namespace wsi
