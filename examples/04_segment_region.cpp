// One tile by hand: the segmenter's maps, separation into nuclei, outlines. Draws the outlines.
// usage: example_04_segment_region SLIDE [OUT.ppm]
#include <cstdio>
#include <fstream>

#include "io/work_reader.h"
#include "model/classical.h"
#include "pipeline/runtime.h"
#include "stages/contour.h"
#include "stages/separate.h"

namespace {

void draw(std::span<const wsi::ContourPoint> ring, const wsi::PixelRect& rect,
          const wsi::WorkFrame& frame, wsi::RgbView rgb) {
    for (const wsi::ContourPoint& p : ring) {  // hundredths of level-0 pixels
        const auto x = static_cast<int64_t>(p.x * wsi::kContourScale / frame.downsample) - rect.x;
        const auto y = static_cast<int64_t>(p.y * wsi::kContourScale / frame.downsample) - rect.y;
        if (!wsi::PixelRect{0, 0, rgb.width, rgb.height}.contains(x, y)) continue;
        rgb(x, y, 0) = rgb(x, y, 1) = 255;
        rgb(x, y, 2) = 0;
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " SLIDE [OUT.ppm]");
    const wsi::Runtime runtime(1);
    wsi::ClassicalSegmenter segmenter;
    const wsi::InputSpec& spec = segmenter.input_spec();
    const auto slide = wsi::open_slide(argv[1], wsi::SlideConfig{});
    const wsi::WorkFrame frame = wsi::make_work_frame(slide->info(), spec.mpp);
    const wsi::TileGrid tiles(frame.size, spec.core_px, spec.halo_px);

    // A slot owns the pixels and the maps of one tile, core and halo.
    wsi::TileSlot slot;
    slot.tile = {tiles.rows() / 2, tiles.columns() / 2};
    const wsi::PixelRect rect = tiles.input(slot.tile);
    slot.rgb.resize(rect.width, rect.height);
    wsi::WorkReader(*slide, frame, size_t{64} << 20).read(rect, slot.rgb);
    for (wsi::GrayImage& map : slot.maps) map.resize(rect.width, rect.height);
    wsi::SlideSample sample;  // a run samples the whole slide; here the tile must do
    sample.patches.push_back(slot.rgb);
    wsi::TileSlot* const batch[] = {&slot};
    segmenter.segment(batch, segmenter.fit_slide(sample));

    wsi::Image<uint32_t> labels(rect.width, rect.height);
    const auto params = wsi::SeparateParams::from(wsi::SeparateConfig{}, frame);
    const auto found = wsi::Separator(params)(slot.maps[wsi::kProbability].view(),
                                              slot.maps[wsi::kDistance].view(), labels.view());

    // Tracing starts at a label's first pixel in raster order.
    std::vector<bool> traced(found.count + 1, false);
    wsi::ContourTracer trace;
    std::vector<wsi::ContourPoint> ring;
    int nuclei = 0;
    for (int64_t y = 0; y < rect.height; ++y)
        for (int64_t x = 0; x < rect.width; ++x) {
            const uint32_t label = labels(x, y);
            if (label == 0 || traced[label]) continue;
            traced[label] = true;
            trace(labels.view(), label, {x, y}, {rect.x, rect.y}, frame.downsample, ring);
            draw(ring, rect, frame, slot.rgb);
            ++nuclei;
        }
    std::printf("%d nuclei on %lld x %lld px of %.3f um\n", nuclei,
                static_cast<long long>(rect.width), static_cast<long long>(rect.height),
                frame.mpp());
    if (argc > 2) {
        std::ofstream out(argv[2], std::ios::binary);
        out << "P6 " << rect.width << " " << rect.height << " 255\n";
        out.write(reinterpret_cast<const char*>(slot.rgb.data()), rect.area() * 3);
        if (!out.flush()) wsi::fail(wsi::ErrorKind::Output, "cannot write ", argv[2]);
    }
    return nuclei > 0 ? 0 : 2;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
