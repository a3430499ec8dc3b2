#include "io/slide_checks.h"

#include <algorithm>

namespace wsi {

void check_brightfield(const Slide& slide) {
    const SlideInfo& info = slide.info();
    // The coarsest level, or the middle of it when even that is large.
    constexpr int64_t kMostSide = 1024;
    const int level = static_cast<int>(info.levels.size()) - 1;
    const PixelSize size = info.levels.back().size;
    const int64_t width = std::min(kMostSide, size.width),
                  height = std::min(kMostSide, size.height);
    RgbImage image(width, height);
    const PixelRect middle{(size.width - width) / 2, (size.height - height) / 2, width, height};
    if (slide.glance(level, middle, image)) return;  // unreadable blocks are dealt with later
    int64_t dark = 0, bright = 0;
    int most_colour = 0;
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) {
            const uint8_t* p = image.view().at(x, y);
            const int most = std::max({p[0], p[1], p[2]});
            most_colour = std::max(most_colour, most - std::min({p[0], p[1], p[2]}));
            dark += most < 60;
            bright += most > 150;
        }
    const int64_t total = width * height;
    // A blank slide has no colour either, but it is white.
    if (most_colour <= 2 && bright < total)
        fail(ErrorKind::Slide, info.path,
             ": greyscale (one band); expected an 8-bit RGB image of stained tissue; export it as "
             "one if that is what it shows");
    if (dark * 2 > total && bright * 20 < total)
        fail(
            ErrorKind::Slide, info.path,
            ": the ground is black: a fluorescence slide; only brightfield stains (H&E, H-DAB) can "
            "be segmented");
}

}  // namespace wsi
