// Opens a slide, says what it is, and writes one tile as a picture (PPM, which every viewer opens).
// usage: example_01_read_tile SLIDE [OUT.ppm]
#include <cstdio>
#include <fstream>

#include "io/slide.h"
#include "io/types/tile.h"
#include "io/work_reader.h"
#include "pipeline/runtime.h"

int main(int argc, char** argv) try {
    if (argc < 2) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " SLIDE [OUT.ppm]");
    const wsi::Runtime runtime(1);
    const auto slide = wsi::open_slide(argv[1], wsi::SlideConfig{});
    const wsi::SlideInfo& info = slide->info();
    std::printf("%s: %lld x %lld px, %.4f um per pixel (%s), %zu levels\n", info.vendor.c_str(),
                static_cast<long long>(info.size().width),
                static_cast<long long>(info.size().height), info.mpp_x, to_string(info.mpp_source),
                info.levels.size());

    // The work frame: the same slide in pixels of about 0.5 um, whatever the scanner's resolution.
    const wsi::WorkFrame frame = wsi::make_work_frame(info, wsi::Mpp{0.5});
    const wsi::WorkReader reader(*slide, frame, size_t{64} << 20);

    // Tiles partition the frame; each is read with a halo of context around its core.
    const wsi::TileGrid tiles(frame.size, /*core_px=*/512, /*halo_px=*/32);
    const wsi::PixelRect rect = tiles.input({tiles.rows() / 2, tiles.columns() / 2});
    wsi::RgbImage rgb(rect.width, rect.height);
    const auto failures = reader.read(rect, rgb);
    std::printf("%d x %d tiles; one read with halo: %lld x %lld px, %zu unreadable blocks\n",
                tiles.rows(), tiles.columns(), static_cast<long long>(rect.width),
                static_cast<long long>(rect.height), failures.size());

    if (argc > 2) {
        std::ofstream out(argv[2], std::ios::binary);
        out << "P6 " << rect.width << " " << rect.height << " 255\n";
        out.write(reinterpret_cast<const char*>(rgb.data()), rect.area() * 3);
        if (!out.flush()) wsi::fail(wsi::ErrorKind::Output, "cannot write ", argv[2]);
    }
    return failures.empty() ? 0 : 2;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
