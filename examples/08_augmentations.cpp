// Draws what each augmentation of training does to one patch of a slide: docs/augmentations.jpg.
// usage: example_08_augmentations SLIDE OUT.jpg
// Rows of four: as it is, turned and scaled, elastic, stain; exposure, gamma, intensity, CLAHE;
// noise, blur, sharpened, everything by its chance.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "io/picture.h"
#include "io/slide.h"
#include "io/work_reader.h"
#include "pipeline/runtime.h"
#include "stages/augment.h"

namespace {

using namespace wsi;

constexpr int kSide = 160, kGap = 4, kColumns = 4;

/// A square of tissue with room around it for what turning brings in.
RgbImage piece_of(const std::string& path) {
    const auto slide = open_slide(path, SlideConfig{});
    const WorkFrame frame = make_work_frame(slide->info(), Mpp{0.5});
    RgbImage rgb(2 * kSide, 2 * kSide);
    WorkReader(*slide, frame, size_t{64} << 20)
        .read({frame.size.width / 2, frame.size.height / 2, rgb.width(), rgb.height()}, rgb);
    return rgb;
}

/// The square after one change. An empty function leaves it as it is.
RgbImage changed(const RgbImage& rgb, const std::function<void(TrainingPatch&, Random&)>& change) {
    TrainingPatch patch = centre_patch(rgb, LabelImage(rgb.width(), rgb.height()), kSide);
    Random random(7);
    if (change) change(patch, random);
    return patch.rgb;
}

RgbImage sheet_of(const std::vector<RgbImage>& pictures) {
    const int step = kSide + kGap, rows = static_cast<int>(pictures.size()) / kColumns;
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
    if (argc != 3) fail(ErrorKind::Config, "usage: ", argv[0], " SLIDE OUT.jpg");
    const Runtime runtime(1);
    const RgbImage rgb = piece_of(argv[1]);
    const LabelImage ids(rgb.width(), rgb.height());
    std::vector<RgbImage> pictures{changed(rgb, {})};
    Random turn(7);
    pictures.push_back(cut_patch(rgb, ids, kSide, 1, turn).rgb);
    pictures.push_back(changed(rgb, displace_elastically));
    pictures.push_back(
        changed(rgb, [](auto& p, Random& r) { change_stains(p.rgb, kReferenceHe, r); }));
    for (auto* const change : {change_exposure, change_gamma, change_intensity, equalise_locally,
                               add_noise, blur, sharpen})
        pictures.push_back(changed(rgb, [change](auto& p, Random& r) { change(p.rgb, r); }));
    pictures.push_back(augment(rgb, ids, kSide, kReferenceHe, AugmentOptions{}, 7).rgb);
    write_jpeg_picture(argv[2], sheet_of(pictures).view());
    return 0;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
