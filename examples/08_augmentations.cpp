// Draws what each augmentation of training does to one patch of a slide: docs/augmentations.jpg.
// usage: example_08_augmentations SLIDE OUT.jpg [X Y], the place as shares of width and height
// Rows of four: as it is, turned and scaled, elastic, rows of nuclei; clumps of nuclei, vesicular
// bluer ones, pale ones, red blood cells; pigment, ink, stain, another laboratory's stain;
// exposure, gamma, intensity, CLAHE; noise taken away, noise, blur, sharpened; all by chance.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "io/picture.h"
#include "io/slide.h"
#include "io/work_reader.h"
#include "model/classical.h"
#include "pipeline/runtime.h"
#include "stages/augment.h"
#include "stages/separate.h"

namespace {

using namespace wsi;

constexpr int kSide = 160, kGap = 4, kColumns = 4;

struct Piece {
    RgbImage rgb;
    LabelImage ids;  ///< nuclei as the classical segmenter sees them
};

LabelImage nuclei_of(const RgbImage& rgb, const WorkFrame& frame) {
    ClassicalSegmenter segmenter;
    TileSlot slot;
    slot.rgb = rgb;
    for (GrayImage& map : slot.maps) map.resize(rgb.width(), rgb.height());
    SlideSample sample;
    sample.patches.push_back(rgb);
    TileSlot* const batch[] = {&slot};
    segmenter.segment(batch, segmenter.fit_slide(sample));
    LabelImage ids(rgb.width(), rgb.height());
    Separator(SeparateParams::from(SeparateConfig{}, frame))(
        slot.maps[kProbability].view(), slot.maps[kDistance].view(), ids.view());
    return ids;
}

/// A square of tissue with room around it for what turning brings in.
Piece piece_of(const std::string& path, double x, double y) {
    const auto slide = open_slide(path, SlideConfig{});
    const WorkFrame frame = make_work_frame(slide->info(), Mpp{0.5});
    RgbImage rgb(2 * kSide, 2 * kSide);
    WorkReader(*slide, frame, size_t{64} << 20)
        .read({static_cast<int64_t>(x * static_cast<double>(frame.size.width)),
               static_cast<int64_t>(y * static_cast<double>(frame.size.height)), rgb.width(),
               rgb.height()},
              rgb);
    LabelImage ids = nuclei_of(rgb, frame);
    return {std::move(rgb), std::move(ids)};
}

/// The square after one change. An empty function leaves it as it is.
RgbImage changed(const Piece& piece, const std::function<void(TrainingPatch&, Random&)>& change,
                 uint64_t seed = 7) {
    TrainingPatch patch = centre_patch(piece.rgb, piece.ids, kSide);
    Random random(seed);
    if (change) change(patch, random);
    return patch.rgb;
}

RgbImage sheet_of(const std::vector<RgbImage>& pictures) {
    const int step = kSide + kGap,
              rows = (static_cast<int>(pictures.size()) + kColumns - 1) / kColumns;
    RgbImage sheet(kColumns * step - kGap, rows * step - kGap, 255);
    for (size_t i = 0; i < pictures.size(); ++i) {
        const int64_t x0 = step * static_cast<int64_t>(i % kColumns);
        const int64_t y0 = step * static_cast<int64_t>(i / kColumns);
        for (int64_t y = 0; y < kSide; ++y)
            for (int64_t x = 0; x < kSide; ++x)
                for (int c = 0; c < 3; ++c) sheet(x0 + x, y0 + y, c) = pictures[i](x, y, c);
    }
    return sheet;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3 && argc != 5) fail(ErrorKind::Config, "usage: ", argv[0], " SLIDE OUT.jpg [X Y]");
    const Runtime runtime(1);
    const Piece piece =
        piece_of(argv[1], argc > 3 ? std::atof(argv[3]) : 0.3, argc > 3 ? std::atof(argv[4]) : 0.7);
    std::vector<RgbImage> pictures{changed(piece, {})};
    Random turn(7);
    AugmentConfig always;
    always.affine = 1;
    pictures.push_back(cut_patch(piece.rgb, piece.ids, kSide, always, turn).rgb);
    pictures.push_back(changed(piece, [](auto& p, Random& r) { displace_elastically(p, 6, r); }));
    for (const uint64_t seed : {2, 5}) pictures.push_back(changed(piece, crowd_nuclei, seed));
    for (const uint64_t seed : {7, 3}) pictures.push_back(changed(piece, make_nuclei_pale, seed));
    for (const uint64_t seed : {10, 4, 9})
        pictures.push_back(changed(piece, add_distractors, seed));
    const auto stain = [](auto& p, Random& r) { change_stains(p.rgb, kReferenceHe, r); };
    for (const uint64_t seed : {7, 8}) pictures.push_back(changed(piece, stain, seed));
    constexpr auto noise = [](RgbImage& rgb, Random& r) { add_noise(rgb, 0.03, r); };
    for (void (*const change)(RgbImage&, Random&) :
         std::initializer_list<void (*)(RgbImage&, Random&)>{change_exposure, change_gamma,
                                                             change_intensity, equalise_locally,
                                                             remove_noise, noise, blur, sharpen})
        pictures.push_back(changed(piece, [change](auto& p, Random& r) { change(p.rgb, r); }));
    for (const uint64_t seed : {9, 10, 11, 12})
        pictures.push_back(
            augment(piece.rgb, piece.ids, kSide, kReferenceHe, AugmentConfig{}, seed).rgb);
    write_jpeg_picture(argv[2], sheet_of(pictures).view());
    return 0;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
