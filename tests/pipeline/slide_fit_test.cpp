// What is fitted once per slide: where tissue is, which patches stand for it, what they give.

#include "pipeline/slide_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "io/work_reader.h"
#include "pipeline/runtime.h"
#include "tests/pipeline/run_harness.h"
#include "tests/support/planted.h"

namespace wsi {
namespace {

// 1.2 mm²: more than a field of view, all of which would be tissue.
constexpr PixelSize kSlide{4608, 4096};
constexpr int64_t kGlassRight = 1024;  // glass left of here, level-0 pixels

/// Answers a fit with what it was given: patches, pixels that are not white, a checksum.
class SampleSegmenter final : public Segmenter {
public:
    SampleSegmenter() {
        spec_.name = spec_.hash = "sample";
        spec_.core_px = 128;
        spec_.halo_px = 16;
        spec_.normalised = false;
    }
    const InputSpec& input_spec() const override { return spec_; }
    std::vector<double> fit_slide(const SlideSample& sample) const override {
        double pixels = 0, checksum = 0;
        for (const RgbImage& patch : sample.patches)
            for (int64_t i = 0; i < patch.size().area(); ++i) {
                const uint8_t* p = patch.data() + 3 * i;
                if (p[0] == 255 && p[1] == 255 && p[2] == 255) continue;
                ++pixels;
                checksum = std::fmod(checksum * 31 + p[0] + 256.0 * p[1] + 65536.0 * p[2], 1e9 + 7);
            }
        return {static_cast<double>(sample.patches.size()), pixels, checksum};
    }
    void segment(std::span<TileSlot* const>, std::span<const double>) override {}

private:
    InputSpec spec_;
};

struct Fitted {
    WorkFrame frame;
    TissueMask tissue;
    SlidePlan plan;
    SlideFit fit;
};

Fitted fit(const std::string& path, const Config& config) {
    const auto slide = open_slide(path, config.slide);
    const SampleSegmenter segmenter;
    RunStatus status;
    const WorkFrame frame = make_work_frame(slide->info(), segmenter.input_spec().mpp);
    std::vector<FailedBlock> unreadable;
    TissueMask tissue = find_slide_tissue(*slide, frame, config.tissue, status, unreadable);
    SlidePlan plan = make_plan(frame, segmenter.input_spec(), config.tiling.region_px, tissue, 100);
    SlideFit fitted = fit_slide(*slide, plan, tissue, segmenter, config, status);
    return {frame, std::move(tissue), std::move(plan), std::move(fitted)};
}

/// Glass on the left, planted nuclei on an eosin ground on the right.
class SlideFitTest : public testing::Test {
protected:
    SlideFitTest() {
        constexpr int64_t kSide = 480;  // painted once, repeated
        RgbImage stained(kSide, kSide);
        const test::PlantedNuclei planted(test::plant_grid({kSide, kSide}, 60, 14, 3));
        planted.stained()({0, 0, kSide, kSide}, stained);
        test::SlideOptions options;
        options.size = kSlide;
        test::write_svs(slide(), options, [&](const PixelRect& rect, RgbView out) {
            for (int64_t y = 0; y < rect.height; ++y)
                for (int64_t x = 0; x < rect.width; ++x)
                    if (rect.x + x < kGlassRight)
                        std::fill_n(out.at(x, y), 3, uint8_t{243});
                    else
                        std::copy_n(stained.view().at((rect.x + x) % kSide, (rect.y + y) % kSide),
                                    3, out.at(x, y));
        });
    }
    std::string slide() const { return dir_.file("slide.svs"); }

    /// `check` in a child with its own thread pool; what it found wrong, or nothing.
    static std::string in_child(int threads, const std::function<void()>& check) {
        const test::ChildEnd end = test::run_in_child([&] {
            const Runtime runtime(threads);
            check();
        });
        if (end.exit_code == 0) return "";
        return end.message + " (exit " + std::to_string(end.exit_code) + ", signal " +
               std::to_string(end.signal) + ")";
    }

    test::TempDir dir_;
};

TEST_F(SlideFitTest, tissue_is_where_the_stain_is) {
    EXPECT_EQ(in_child(2,
                       [this] {
                           const Fitted f = fit(slide(), {});
                           const double border = kGlassRight / f.frame.downsample;
                           for (int64_t y = 8; y < f.frame.size.height; y += 64) {
                               const double at = static_cast<double>(y);
                               WSI_CHECK(!f.tissue.contains(border - 100, at), y);
                               WSI_CHECK(f.tissue.contains(border + 20, at), y);
                           }
                           const double mm2 =
                               (kSlide.width - kGlassRight) * kSlide.height * 625e-10;
                           const double found = f.tissue.area_mm2();
                           WSI_CHECK(found > mm2 && found < 1.04 * mm2, found, " of ", mm2);
                       }),
              "");
}

TEST_F(SlideFitTest, planted_stains_are_found) {
    EXPECT_EQ(in_child(2,
                       [this] {
                           const StainFit stain = fit(slide(), {}).fit.stain;
                           WSI_CHECK(stain.fitted, stain.reason);
                           for (size_t s = 0; s < 2; ++s) {
                               double cosine = 0;
                               for (size_t c = 0; c < 3; ++c)
                                   cosine += stain.matrix[s][c] * kReferenceHe[s][c];
                               WSI_CHECK(cosine > 0.98, "stain ", s, ": ", cosine);
                           }
                       }),
              "");
}

TEST_F(SlideFitTest, patches_show_tissue_alone) {
    EXPECT_EQ(in_child(2,
                       [this] {
                           const auto params = fit(slide(), {}).fit.slide_params;
                           // 48 patches of 128 x 128, of which glass is blanked out.
                           WSI_CHECK(params.at(0) == 48, params[0]);
                           WSI_CHECK(params[1] > 0.8 * 48 * 128 * 128, params[1]);
                           WSI_CHECK(params[1] < 48 * 128 * 128, params[1], ": glass was kept");
                       }),
              "");
}

/// Hexadecimal floats of everything fitted.
std::string exactly(const SlideFit& fit) {
    std::ostringstream out;
    out << std::hexfloat;
    for (const auto& vector : fit.stain.matrix)
        for (const double v : vector) out << v << ' ';
    for (const double v : fit.stain.max_concentration) out << v << ' ';
    for (const double v : fit.slide_params) out << v << ' ';
    return out.str();
}

TEST_F(SlideFitTest, threads_and_regions_do_not_matter_and_the_seed_does) {
    const auto result = [this](int threads, const Config& config) {
        const std::string file = dir_.file("fit.txt");
        EXPECT_EQ(
            in_child(threads, [&] { std::ofstream(file) << exactly(fit(slide(), config).fit); }),
            "");
        std::ifstream in(file);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    Config config;
    config.tiling.region_px = 512;
    const std::string one = result(1, config);
    ASSERT_GT(one.size(), 100u);
    EXPECT_EQ(result(2, config), one);
    config.tiling.region_px = 1536;
    EXPECT_EQ(result(8, config), one);
    config.run.seed += 1;
    EXPECT_NE(result(2, config), one);
}

TEST(SlideTissueTest, what_lies_outside_the_bounds_is_no_tissue) {
    const test::TempDir dir;
    const test::ScnOptions options;
    test::write_leica_scn(dir.file("s.scn"), options, test::plain_tissue());
    const test::ChildEnd end = test::run_in_child([&] {
        const auto slide = open_slide(dir.file("s.scn"), {});
        const PixelRect bounds = slide->info().bounds;
        WSI_CHECK(bounds.width < slide->info().size().width);
        const WorkFrame frame = make_work_frame(slide->info(), Mpp{0.5});
        RunStatus status;
        std::vector<FailedBlock> unreadable;
        const TissueMask tissue = find_slide_tissue(*slide, frame, {}, status, unreadable);
        const double cell = tissue.cell_work_px * frame.downsample;
        for (int64_t y = 0; y < slide->info().size().height; y += 16)
            for (int64_t x = 0; x < slide->info().size().width; x += 16) {
                const bool found = tissue.contains(static_cast<double>(x) / frame.downsample,
                                                   static_cast<double>(y) / frame.downsample);
                const auto slack = static_cast<int64_t>(cell) + 1;
                if (bounds.grown(-slack).contains(x, y)) WSI_CHECK(found, x, ",", y);
                if (!bounds.grown(slack).contains(x, y)) WSI_CHECK(!found, x, ",", y);
            }
    });
    EXPECT_EQ(end.exit_code, 0) << end.message;
}

}  // namespace
}  // namespace wsi
