// Finds the tissue of a slide and draws it with letters.
// usage: example_02_tissue_mask SLIDE
#include <cstdio>

#include "io/slide.h"
#include "io/work_reader.h"
#include "pipeline/runtime.h"
#include "stages/tissue.h"

int main(int argc, char** argv) try {
    if (argc < 2) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " SLIDE");
    const wsi::Runtime runtime(1);
    const auto slide = wsi::open_slide(argv[1], wsi::SlideConfig{});

    // An overview is nothing but a work frame of coarse pixels: 8 um each.
    const wsi::TissueConfig config;
    const wsi::WorkFrame frame = wsi::make_work_frame(slide->info(), wsi::Mpp{config.mpp});
    wsi::RgbImage overview(frame.size.width, frame.size.height);
    wsi::WorkReader(*slide, frame, size_t{64} << 20).read(frame.rect(), overview);

    const wsi::GrayImage mask = wsi::find_tissue(overview.view(), frame.mpp(), config);

    int64_t cells = 0;
    for (int64_t y = 0; y < mask.height(); ++y)
        for (int64_t x = 0; x < mask.width(); ++x) cells += mask(x, y);
    // A letter stands for a block twice as high as wide; at most 72 letters in a line.
    const int64_t step = std::max<int64_t>(1, wsi::ceil_div(mask.width(), 72));
    for (int64_t y = 0; y < mask.height(); y += 2 * step) {
        for (int64_t x = 0; x < mask.width(); x += step) std::putchar(mask(x, y) ? '#' : '.');
        std::putchar('\n');
    }
    const double mm2 = static_cast<double>(cells) * frame.px_area_um2() * 1e-6;
    std::printf("%.3f mm2 of tissue on %.3f mm2 of slide\n", mm2,
                static_cast<double>(frame.size.area()) * frame.px_area_um2() * 1e-6);
    return cells > 0 ? 0 : 2;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
