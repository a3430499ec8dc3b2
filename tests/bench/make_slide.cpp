// Writes an all-tissue slide of any size as SVS: the square SIDE of SOURCE at (X, Y), level-0
// pixels, laid out with its mirror images. The pixels repeat every 2 * SIDE, so each distinct tile
// is compressed once. SIDE is a multiple of 2048 (whole tiles on the level reduced by 16).
// OUT.scn is a Leica collection in which the scan begins at (300, 200), so that it has bounds.
// usage: make_slide SOURCE X Y SIDE OUT.svs|OUT.scn WIDTH HEIGHT
#include <charconv>
#include <cstdio>
#include <cstring>

#include "config/config.h"
#include "io/slide.h"
#include "pipeline/runtime.h"
#include "tests/support/slide_factory.h"

namespace {

int64_t number(const char* text) {
    int64_t value = 0;
    WSI_CHECK(std::from_chars(text, text + std::strlen(text), value).ec == std::errc{}, text);
    return value;
}

/// 0 1 2 | 2 1 0 | 0 1 2 ... for a side of 3.
int64_t mirrored(int64_t at, int64_t side) {
    const int64_t in_period = at % (2 * side);
    return in_period < side ? in_period : 2 * side - 1 - in_period;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace wsi;
    if (argc != 8) return 1;
    const Runtime runtime(1);
    const auto slide = open_slide(argv[1], Config().slide);
    const int64_t side = number(argv[4]);
    RgbImage square(side, side);
    const PixelRect from{number(argv[2]), number(argv[3]), side, side};
    WSI_CHECK(
        (PixelRect{0, 0, slide->info().size().width, slide->info().size().height}).contains(from));
    if (const auto failure = slide->read(0, from, square)) throw Error(ErrorKind::Slide, *failure);

    const PixelSize size{number(argv[6]), number(argv[7])};
    const test::PixelSource mirrors = [&](const PixelRect& rect, RgbView out) {
        for (int64_t y = 0; y < rect.height; ++y)
            for (int64_t x = 0; x < rect.width; ++x)
                std::memcpy(out.at(x, y),
                            &square(mirrored(rect.x + x, side), mirrored(rect.y + y, side)), 3);
    };
    const std::string path = argv[5];
    if (path.ends_with(".scn")) {
        test::ScnOptions options;
        options.scan = size;
        options.collection = {options.offset.x + size.width + 100,
                              options.offset.y + size.height + 100};
        options.levels = {size, {size.width / 4, size.height / 4}};
        options.mpp = slide->info().mpp_x;
        test::write_leica_scn(path, options, mirrors);
        return 0;
    }
    test::SlideOptions options;
    options.size = size;
    options.downsamples = {1, 4, 16};
    options.mpp = slide->info().mpp_x;
    options.objective_power = slide->info().objective_power;
    options.jpeg_quality = 80;
    options.period_px = 2 * side;
    test::write_svs(path, options, mirrors);
    std::printf("%ld x %ld px at %g um\n", options.size.width, options.size.height, options.mpp);
}
