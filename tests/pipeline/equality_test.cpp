// One slide gives the same bytes whatever the region size, the number of threads, the order of
// tiles.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <numeric>

#include "io/result_store.h"
#include "pipeline/slide_plan.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/data_dir.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

using test::SlideTrial;

InputSpec fake_spec() { return test::fake_spec(128, 32, 16); }

using Names = std::vector<const char*>;
const Names kMainFormats{"r.h5", "r.csv", "r.geojson.gz", "r.tif", "r.labels.tif"};
const Names kAllFormats{"r.h5",           "r.csv",          "r.csv.gz",
                        "r.geojson",      "r.geojson.gz",   "r.tif",
                        "r.labels.tif",   "r.mask.ome.tif", "r.labels.ome.tif",
                        "r.parquet",      "r.gpkg",         "r.fgb",
                        "r.h5ad",         "r.db",           "r.html",
                        "r.cellvit.json", "r.hovernet.json"};

std::vector<std::string> outputs_in(const test::TempDir& dir, const std::string& folder,
                                    const Names& names) {
    std::filesystem::create_directories(dir.path() / folder);
    std::vector<std::string> out;
    for (const char* name : names) out.push_back((dir.path() / folder / name).string());
    return out;
}

struct Variant {
    const char* name;
    int region_px, threads;
    uint64_t shuffle_seed;
};

/// Runs all variants and compares each with the first; returns the reference's files.
std::vector<std::string> expect_equal(const test::TempDir& dir, const SlideTrial& base,
                                      const std::vector<Variant>& variants,
                                      const Names& names = kAllFormats) {
    std::map<std::string, std::string> expected;
    for (const Variant& v : variants) {
        SlideTrial run = base;
        run.outputs = outputs_in(dir, v.name, names);
        run.region_px = v.region_px;
        run.threads = v.threads;
        run.shuffle_seed = v.shuffle_seed;
        const test::ChildEnd end = test::run_child(run);
        EXPECT_EQ(end.exit_code, 0) << v.name << ": " << end.message << " signal " << end.signal;
        if (end.exit_code != 0) return {};
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "") << v.name;
    }
    return outputs_in(dir, variants.front().name, names);
}

/// Nuclei whose box crosses a border of the region grid.
int64_t count_crossing(const std::string& result, int core_px, int region_px) {
    const ResultReader reader(result);
    const WorkFrame& frame = reader.header().frame;
    const RegionGrid regions(TileGrid(frame.size, core_px, 0), region_px);
    const auto region_at = [&](double x_px, double y_px) {
        const auto tile = [&](double v) {
            return static_cast<int32_t>(v / frame.downsample) / core_px;
        };
        return regions.region_of({tile(y_px), tile(x_px)});
    };
    const NucleiBatch rows = reader.rows(0, reader.count());
    int64_t crossing = 0;
    for (const NucleusIdentity& who : rows.identity)
        crossing +=
            region_at(who.bbox_x0_px, who.bbox_y0_px) != region_at(who.bbox_x1_px, who.bbox_y1_px);
    return crossing;
}

const std::vector<Variant> kVariants{{"one-thread", 256, 1, 0},    {"two", 256, 2, 0},
                                     {"eight", 256, 8, 0},         {"regions-700", 700, 2, 0},
                                     {"regions-1500", 1500, 2, 0}, {"shuffled", 256, 2, 99},
                                     {"shuffled-700", 700, 8, 7}};

TEST(EqualityTest, planted_nuclei_come_out_the_same_however_the_slide_is_cut) {
    const test::TempDir dir;
    const PixelSize size{8000, 6000};
    const test::PlantedNuclei planted(test::plant_grid(size, 44, 15, 5));
    test::SlideOptions options;
    options.size = size;
    test::write_svs(dir.file("slide.svs"), options, test::plain_tissue());
    SlideTrial run;
    run.slide = dir.file("slide.svs");
    run.segmenter = test::finds(planted, fake_spec());
    const auto files = expect_equal(dir, run, kVariants, kMainFormats);
    ASSERT_FALSE(files.empty());
    const ResultReader reader(files.front());
    EXPECT_EQ(reader.count(), planted.all().size());
    const int64_t crossing = count_crossing(files.front(), 128, 256);
    EXPECT_GE(crossing, 2000);
    std::printf("%zu nuclei in %d regions, %ld cross a region's border\n", planted.all().size(),
                15 * 12, crossing);
}

/// Tissue in which a network of nuclei goes through all regions.
SlideTrial percolating_trial(const test::TempDir& dir, PixelSize size, const InputSpec& spec) {
    test::SlideOptions options;
    options.size = size;
    test::write_svs(dir.file("slide.svs"), options, test::plain_tissue());
    SlideTrial run;
    run.slide = dir.file("slide.svs");
    run.segmenter = [spec] {
        return std::make_unique<test::FakeSegmenter>(spec, test::percolating_maps());
    };
    return run;
}

TEST(EqualityTest, a_percolating_mask_comes_out_the_same_however_the_slide_is_cut) {
    const test::TempDir dir;
    const SlideTrial run = percolating_trial(dir, {4000, 3200}, fake_spec());
    const auto files = expect_equal(dir, run, kVariants);
    ASSERT_FALSE(files.empty());
    const ResultReader reader(files.front());
    EXPECT_GE(reader.count(), 1000u);
    std::printf("%lu nuclei from one component over %d regions\n", reader.count(), 8 * 6);
}

TEST(EqualityTest, classes_and_depth_in_the_mask_come_out_the_same_however_the_slide_is_cut) {
    const test::TempDir dir;
    InputSpec spec = fake_spec();
    spec.distance = false;
    spec.classes = {{1, "One"}, {2, "Two"}, {3, "Three"}};
    const SlideTrial run = percolating_trial(dir, {4000, 3200}, spec);
    const auto files = expect_equal(dir, run, kVariants);
    ASSERT_FALSE(files.empty());
    const ResultReader reader(files.front());
    ASSERT_EQ(reader.header().classes.size(), 3U);
    EXPECT_EQ(reader.header().classes[2].name, "Three");
    std::array<int, 4> count{};
    for (const NucleusIdentity& who : reader.rows(0, reader.count()).identity) {
        ASSERT_TRUE(who.class_id >= 1 && who.class_id <= 3);
        EXPECT_TRUE(who.class_probability > 1.0F / 3 - 1e-3F && who.class_probability <= 1);
        ++count[who.class_id];
    }
    std::printf("%d, %d, %d nuclei of three classes\n", count[1], count[2], count[3]);
    EXPECT_GE(std::min({count[1], count[2], count[3]}), 100);
}

TEST(EqualityTest, texture_of_finer_pixels_comes_out_the_same_however_the_slide_is_cut) {
    const test::TempDir dir;
    SlideTrial run = percolating_trial(dir, {2400, 2000}, fake_spec());
    std::vector<float> gradient;
    for (const double mpp : {0.0, 0.25, 0.3}) {  // 0.3: not a level's own
        run.config.features.texture_mpp = mpp;
        const auto files = expect_equal(
            dir, run, {{"one-thread", 256, 1, 0}, {"regions-700", 700, 2, 0}, {"mixed", 256, 8, 7}},
            kMainFormats);
        ASSERT_FALSE(files.empty());
        const ResultReader reader(files.front());
        EXPECT_GE(reader.count(), 300u);
        const std::vector<float> column = reader.feature("nucleus_H_gradient_mean");
        gradient.push_back(std::accumulate(column.begin(), column.end(), 0.0F));
        for (const char* name : {"one-thread", "regions-700", "mixed"})
            std::filesystem::remove_all(dir.path() / name);
    }
    EXPECT_TRUE(gradient[0] != gradient[1] && gradient[1] != gradient[2]);
}

TEST(EqualityTest, texture_pixels_that_a_slide_does_not_have_are_refused_by_name) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {1200, 1000};
    test::write_svs(dir.file("slide.svs"), options, test::plain_tissue());
    SlideTrial run;
    run.slide = dir.file("slide.svs");
    run.outputs = {dir.file("r.h5")};
    run.segmenter = [] {
        return std::make_unique<test::FakeSegmenter>(fake_spec(), test::percolating_maps());
    };
    run.config.features.texture_mpp = 0.2;  // the slide has 0.25
    test::ChildEnd end = test::run_child(run);
    EXPECT_EQ(end.exit_code, exit_code(ErrorKind::Slide));
    EXPECT_THAT(end.message, testing::HasSubstr("finest pixels are 0.25"));
    run.config.features.texture_mpp = 0.5;  // as coarse as the working resolution
    end = test::run_child(run);
    EXPECT_EQ(end.exit_code, exit_code(ErrorKind::Config));
    EXPECT_THAT(end.message, testing::HasSubstr("is not finer than"));
}

TEST(EqualityTest, a_device_with_its_own_thread_gives_the_same) {
    const test::TempDir dir;
    test::SlideOptions options;
    options.size = {2400, 2000};
    test::write_svs(dir.file("slide.svs"), options, test::plain_tissue());
    SlideTrial run;
    run.slide = dir.file("slide.svs");
    std::map<std::string, std::string> expected;
    for (const auto kind : {test::FakeKind::Host, test::FakeKind::Device}) {
        run.segmenter = [kind] {
            return std::make_unique<test::FakeSegmenter>(fake_spec(), test::percolating_maps(),
                                                         kind);
        };
        run.outputs =
            outputs_in(dir, kind == test::FakeKind::Host ? "host" : "device", kMainFormats);
        const test::ChildEnd end = test::run_child(run);
        ASSERT_EQ(end.exit_code, 0) << end.message;
        const auto got = test::digests(run.outputs);
        if (expected.empty()) expected = got;
        EXPECT_EQ(test::first_difference(expected, got), "");
    }
}

/// The classical segmenter on small tiles, so that one slide has many regions.
class SmallTiles final : public Segmenter {
public:
    static constexpr int kCorePx = 160;
    SmallTiles()
        : classical_(make_segmenter({.name = "classical"})), spec_(classical_->input_spec()) {
        spec_.core_px = kCorePx;
    }
    const InputSpec& input_spec() const override { return spec_; }
    std::vector<double> fit_slide(const SlideSample& sample) const override {
        return classical_->fit_slide(sample);
    }
    void segment(std::span<TileSlot* const> batch, std::span<const double> params) override {
        classical_->segment(batch, params);
    }

private:
    std::unique_ptr<Segmenter> classical_;
    InputSpec spec_;
};

/// Runs all variants; at least so many nuclei must cross a border of the first one's regions.
void expect_equal_on_slide(const std::string& slide, int64_t least_crossing,
                           const std::vector<Variant>& variants, const Names& names,
                           const Config& config) {
    const test::TempDir dir;
    SlideTrial run;
    run.slide = test::data_dir() + slide;
    run.config = config;
    run.segmenter = [] { return std::make_unique<SmallTiles>(); };
    const auto files = expect_equal(dir, run, variants, names);
    ASSERT_FALSE(files.empty());
    const ResultReader reader(files.front());
    const PixelSize size = reader.header().frame.size;
    const int side = variants.front().region_px;
    const int64_t regions = ceil_div(size.width, side) * ceil_div(size.height, side);
    const int64_t crossing = count_crossing(files.front(), SmallTiles::kCorePx, side);
    EXPECT_GE(regions, 12);
    EXPECT_GE(crossing, least_crossing);
    std::printf("%lu nuclei in %ld regions, %ld cross a region's border\n", reader.count(), regions,
                crossing);
}

TEST(EqualityDataTest, a_real_field_comes_out_the_same_however_it_is_cut) {
    WSI_NEED_DATA();
    expect_equal_on_slide("/slides/pathologyatlas-BS25/BS25-HE_roi.svs", 500,
                          {{"one-thread", 320, 1, 0},
                           {"two", 320, 2, 0},
                           {"eight-shuffled", 320, 8, 3},
                           {"regions-450", 450, 2, 0},
                           {"regions-1500", 1500, 8, 7}},
                          kAllFormats, {});
}

TEST(EqualityDataTest, a_real_slide_comes_out_the_same_however_it_is_cut) {
    WSI_NEED_DATA();
    Config config;
    config.features.brief = true;
    expect_equal_on_slide(
        "/slides/pathologyatlas-BS9/BS9-HE1_gigapixel.tif", 2000,
        {{"regions-320", 320, 2, 0}, {"one-thread-700", 700, 1, 0}, {"eight-shuffled", 1600, 8, 3}},
        kMainFormats, config);
}

}  // namespace
}  // namespace wsi
