#include <algorithm>
#include <variant>

#include "stages/kernels/colour_cube.h"
#include "stages/kernels/stain_transfer.h"
#include "stages/lab.h"
#include "stages/stain_macenko.h"

namespace wsi {

namespace {

// Appearance that Reinhard's transfer aims at: means over NuInsSeg's training images.
constexpr std::array<double, 3> kReferenceLabMean{66.0, 24.0, -16.0};
constexpr std::array<double, 3> kReferenceLabSd{14.0, 9.0, 7.0};

kernels::OdTransfer od_transfer(const StainFit& fit) {
    const auto inverse = stain::unmixing(fit.matrix);
    kernels::OdTransfer t;
    for (size_t i = 0; i < 3; ++i)
        for (size_t k = 0; k < 3; ++k) {
            double sum = 0;
            for (size_t s = 0; s < 2; ++s)
                sum += kReferenceHe[s][i] * kReferenceMaxConcentration[s] /
                       fit.max_concentration[s] * inverse[s][k];
            t.matrix[i][k] = static_cast<float>(sum);
        }
    for (size_t v = 0; v < t.od.size(); ++v)
        t.od[v] = static_cast<float>(stain::optical_density(static_cast<uint8_t>(v)));
    t.white = static_cast<float>(kWhiteLevel);
    return t;
}

kernels::ColourCube reinhard_cube(const StainFit& fit) {
    return kernels::ColourCube([&fit](const uint8_t* rgb, uint8_t* out) {
        std::array<double, 3> lab = rgb_to_lab(rgb);
        for (size_t k = 0; k < 3; ++k) {
            const double gain = fit.lab_sd[k] > 1e-3 ? kReferenceLabSd[k] / fit.lab_sd[k] : 1;
            lab[k] = (lab[k] - fit.lab_mean[k]) * gain + kReferenceLabMean[k];
        }
        lab_to_rgb(lab, out);
    });
}

struct Copy {};

}  // namespace

struct StainNormaliser::Impl {
    std::variant<Copy, kernels::OdTransfer, kernels::ColourCube> how;
};

StainNormaliser::StainNormaliser(const StainFit& fit, StainSet stains) {
    auto impl = std::make_unique<Impl>();
    // The reference appearance is H&E: other stains keep their own colours.
    if (stains == StainSet::He) {
        if (fit.method == StainMethod::Reinhard && fit.lab_sd[0] > 0)
            impl->how = reinhard_cube(fit);
        else if (fit.fitted &&
                 (fit.method == StainMethod::Macenko || fit.method == StainMethod::Vahadane))
            impl->how = od_transfer(fit);
    }
    impl_ = std::move(impl);
}

StainNormaliser::~StainNormaliser() = default;

void StainNormaliser::operator()(ConstRgbView in, RgbView out) const {
    WSI_CHECK(in.size() == out.size());
    if (const auto* od = std::get_if<kernels::OdTransfer>(&impl_->how))
        kernels::transfer_od(*od, in, out);
    else if (const auto* cube = std::get_if<kernels::ColourCube>(&impl_->how))
        (*cube)(in, out);
    else if (in.data != out.data)
        copy_pixels(in, out);
}

}  // namespace wsi
