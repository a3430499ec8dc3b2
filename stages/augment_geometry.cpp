#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "stages/augment.h"

namespace wsi {

namespace {

/// Reflects i into [0, size): the border pixel is not repeated.
int reflect(int64_t i, int64_t size) {
    if (size == 1) return 0;
    const int64_t period = 2 * (size - 1);
    const int64_t m = ((i % period) + period) % period;
    return static_cast<int>(m < size ? m : period - m);
}

/// Source position of each pixel of the patch: colours bilinear, ids nearest, both reflected.
struct Sampler {
    const RgbImage& rgb;
    const LabelImage& ids;

    void colour(double x, double y, uint8_t* out) const {
        const double fx = std::floor(x), fy = std::floor(y);
        const auto wx = static_cast<float>(x - fx), wy = static_cast<float>(y - fy);
        const std::array columns{reflect(static_cast<int64_t>(fx), rgb.width()),
                                 reflect(static_cast<int64_t>(fx) + 1, rgb.width())};
        const std::array rows{reflect(static_cast<int64_t>(fy), rgb.height()),
                              reflect(static_cast<int64_t>(fy) + 1, rgb.height())};
        for (int c = 0; c < 3; ++c) {
            const auto at = [&](size_t i, size_t j) {
                return static_cast<float>(rgb(columns[i], rows[j], c));
            };
            const float top = at(0, 0) + wx * (at(1, 0) - at(0, 0));
            const float bottom = at(0, 1) + wx * (at(1, 1) - at(0, 1));
            out[c] = static_cast<uint8_t>(std::lround(top + wy * (bottom - top)));
        }
    }
    uint32_t id(double x, double y) const {
        return ids(reflect(std::llround(x), ids.width()), reflect(std::llround(y), ids.height()));
    }
};

template <class Where>
TrainingPatch sample(const RgbImage& rgb, const LabelImage& ids, int side, Where where) {
    TrainingPatch patch{RgbImage(side, side), LabelImage(side, side)};
    const Sampler from{rgb, ids};
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            const std::array<double, 2> at = where(x, y);
            from.colour(at[0], at[1], patch.rgb.view().at(x, y));
            patch.ids(x, y) = from.id(at[0], at[1]);
        }
    return patch;
}

/// From the patch's centre to the image's: [a b; c d].
using Linear = std::array<double, 4>;

Linear draw_linear(const AugmentConfig& config, Random& random) {
    double angle = static_cast<double>(random.index(4)) * std::numbers::pi / 2;
    const double flip_x = random.chance(0.5) ? -1 : 1, flip_y = random.chance(0.5) ? -1 : 1;
    double scale = 1, shear = 0;
    if (random.chance(config.affine)) {
        angle += random.uniform(-0.25, 0.25) * std::numbers::pi;
        scale =
            std::exp2(random.uniform(std::log2(config.scale_least), std::log2(config.scale_most)));
        shear = std::tan(random.uniform(-5, 5) * std::numbers::pi / 180);
    }
    const double c = std::cos(angle) / scale, s = std::sin(angle) / scale;
    return {flip_x * c, flip_x * (c * shear - s), flip_y * s, flip_y * (s * shear + c)};
}

/// Centre of the patch in the image: anywhere if the image is larger, its middle ± 2 % if not.
double draw_centre(int64_t size, int side, Random& random) {
    const double middle = 0.5 * static_cast<double>(size - 1);
    const double room = 0.5 * static_cast<double>(size - side);
    const double reach = std::max(room, 0.02 * static_cast<double>(side));
    // Whole pixels, so that a patch without other changes is not blurred.
    return middle + std::round(random.uniform(-reach, reach));
}

}  // namespace

TrainingPatch cut_patch(const RgbImage& rgb, const LabelImage& ids, int side,
                        const AugmentConfig& config, Random& random) {
    const Linear m = draw_linear(config, random);
    const double cx = draw_centre(rgb.width(), side, random),
                 cy = draw_centre(rgb.height(), side, random);
    const double middle = 0.5 * (side - 1);
    return sample(rgb, ids, side, [&](int x, int y) -> std::array<double, 2> {
        const double dx = x - middle, dy = y - middle;
        return {cx + m[0] * dx + m[1] * dy, cy + m[2] * dx + m[3] * dy};
    });
}

TrainingPatch centre_patch(const RgbImage& rgb, const LabelImage& ids, int side) {
    const int64_t left = (rgb.width() - side) / 2, top = (rgb.height() - side) / 2;
    return sample(rgb, ids, side, [&](int x, int y) -> std::array<double, 2> {
        return {static_cast<double>(left + x), static_cast<double>(top + y)};
    });
}

void displace_elastically(TrainingPatch& patch, double most_px, Random& random) {
    const auto side = static_cast<int>(patch.rgb.width());
    const double sigma = random.uniform(8, 12), alpha = random.uniform(20, 60);
    std::array<cv::Mat, 2> field;
    for (cv::Mat& axis : field) {
        axis = cv::Mat(side, side, CV_32F);
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x)
                axis.at<float>(y, x) = static_cast<float>(random.uniform(-1, 1) * alpha);
        cv::GaussianBlur(axis, axis, cv::Size(), sigma, sigma, cv::BORDER_REFLECT);
    }
    const auto limited = [most_px](float v) {
        return std::clamp(static_cast<double>(v), -most_px, most_px);
    };
    patch = sample(patch.rgb, patch.ids, side, [&](int x, int y) -> std::array<double, 2> {
        return {x + limited(field[0].at<float>(y, x)), y + limited(field[1].at<float>(y, x))};
    });
}

}  // namespace wsi
