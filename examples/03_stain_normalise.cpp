// Fits the two stain vectors of a slide and moves its colours to the reference stain; writes both.
// usage: example_03_stain_normalise SLIDE [BEFORE.ppm AFTER.ppm]
#include <cstdio>
#include <fstream>

#include "io/slide.h"
#include "io/work_reader.h"
#include "pipeline/runtime.h"
#include "stages/stain.h"

namespace {

void write_ppm(const char* path, const wsi::RgbImage& rgb) {
    std::ofstream out(path, std::ios::binary);
    out << "P6 " << rgb.width() << " " << rgb.height() << " 255\n";
    out.write(reinterpret_cast<const char*>(rgb.data()), rgb.size().area() * 3);
    if (!out.flush()) wsi::fail(wsi::ErrorKind::Output, "cannot write ", path);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " SLIDE [BEFORE AFTER]");
    const wsi::Runtime runtime(1);
    const auto slide = wsi::open_slide(argv[1], wsi::SlideConfig{});
    const wsi::WorkFrame frame = wsi::make_work_frame(slide->info(), wsi::Mpp{2.0});
    wsi::RgbImage rgb(frame.size.width, frame.size.height);
    wsi::WorkReader(*slide, frame, size_t{64} << 20).read(frame.rect(), rgb);

    // The fit leaves out pixels without stain by itself; a run gives it pooled tissue pixels.
    const wsi::StainConfig config;
    const wsi::StainFit fit =
        wsi::fit_stain({rgb.data(), static_cast<size_t>(rgb.size().area() * 3)}, config);
    const char* names[] = {"haematoxylin", "eosin"};
    for (size_t i = 0; i < 2; ++i)
        std::printf("%-12s  OD of R, G, B: %.3f %.3f %.3f   99th percentile of its amount: %.2f\n",
                    names[i], fit.matrix[i][0], fit.matrix[i][1], fit.matrix[i][2],
                    fit.max_concentration[i]);
    std::printf("%s\n", fit.fitted ? "fitted" : ("reference values: " + fit.reason).c_str());

    wsi::RgbImage after(rgb.width(), rgb.height());
    const wsi::StainNormaliser normalise(fit, config.stains);
    normalise(rgb.view(), after.view());
    if (argc > 3) {
        write_ppm(argv[2], rgb);
        write_ppm(argv[3], after);
    }
    return fit.fitted ? 0 : 2;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
