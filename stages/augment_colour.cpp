#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "stages/augment.h"
#include "stages/augment_steps.h"

namespace wsi {

namespace {

cv::Mat as_mat(RgbImage& rgb) {
    return {static_cast<int>(rgb.height()), static_cast<int>(rgb.width()), CV_8UC3, rgb.data()};
}

/// The brightest pixel of a patch may end this far beyond white.
constexpr double kOverexposed = 1.1;

void apply_table(RgbImage& rgb, const std::array<uint8_t, 256>& table) {
    uint8_t* const end = rgb.data() + 3 * rgb.size().area();
    std::transform(rgb.data(), end, rgb.data(), [&](uint8_t v) { return table[v]; });
}

/// OpenCV's own conversions, in place: hue in [0, 180).
template <class Change>
void in_space(RgbImage& rgb, int to, int back, Change change) {
    cv::Mat pixels = as_mat(rgb), converted;
    cv::cvtColor(pixels, converted, to);
    change(converted);
    cv::cvtColor(converted, pixels, back);
}

}  // namespace

void change_gamma(RgbImage& rgb, Random& random) {
    const double gamma = std::exp(random.uniform(std::log(0.7), std::log(1.4)));
    std::array<uint8_t, 256> table{};
    for (size_t v = 0; v < table.size(); ++v)
        table[v] = to_byte(255 * std::pow(static_cast<double>(v) / 255, gamma));
    apply_table(rgb, table);
}

void change_exposure(RgbImage& rgb, Random& random) {
    // Microscope cameras leave the glass at half of the range, scanners at its end.
    const uint8_t brightest = *std::max_element(rgb.data(), rgb.data() + 3 * rgb.size().area());
    const double most =
        std::max(1.0, std::min(2.0, kOverexposed * 255 / std::max<double>(1, brightest)));
    const double gain = std::exp(random.uniform(std::log(0.85), std::log(most)));
    std::array<double, 3> channel{};
    for (double& g : channel) g = gain * random.uniform(0.93, 1.07);
    for (int64_t i = 0; i < 3 * rgb.size().area(); ++i)
        rgb.data()[i] = to_byte(rgb.data()[i] * channel[static_cast<size_t>(i % 3)]);
}

void change_intensity(RgbImage& rgb, Random& random) {
    const double brightness = random.uniform(-25.5, 25.5), contrast = random.uniform(0.8, 1.25);
    const double saturation = std::exp(random.uniform(std::log(0.5), std::log(1.6)));
    const auto hue = static_cast<int>(std::lround(random.uniform(-9, 9)));
    std::array<uint8_t, 256> table{};
    for (size_t v = 0; v < table.size(); ++v)
        table[v] = to_byte(128 + contrast * (static_cast<double>(v) - 128) + brightness);
    apply_table(rgb, table);
    in_space(rgb, cv::COLOR_RGB2HSV, cv::COLOR_HSV2RGB, [&](cv::Mat& hsv) {
        for (auto it = hsv.begin<cv::Vec3b>(); it != hsv.end<cv::Vec3b>(); ++it) {
            (*it)[0] = static_cast<uint8_t>(((*it)[0] + hue + 180) % 180);
            (*it)[1] = to_byte((*it)[1] * saturation);
        }
    });
}

void equalise_locally(RgbImage& rgb, Random& random) {
    const auto clahe = cv::createCLAHE(random.uniform(1, 3), cv::Size(8, 8));
    in_space(rgb, cv::COLOR_RGB2Lab, cv::COLOR_Lab2RGB, [&](cv::Mat& lab) {
        cv::Mat lightness;
        cv::extractChannel(lab, lightness, 0);
        clahe->apply(lightness, lightness);
        cv::insertChannel(lightness, lab, 0);
    });
}

void add_noise(RgbImage& rgb, double most_sd, Random& random) {
    const double sd = random.uniform(0, most_sd * 255);
    uint8_t* const end = rgb.data() + 3 * rgb.size().area();
    for (uint8_t* v = rgb.data(); v != end; ++v) *v = to_byte(*v + sd * random.normal());
}

void remove_noise(RgbImage& rgb, Random& random) {
    const double contrast = random.uniform(5, 25), chroma_sd = random.uniform(1, 2.5);
    in_space(rgb, cv::COLOR_RGB2Lab, cv::COLOR_Lab2RGB, [&](cv::Mat& lab) {
        cv::Mat lightness, calm;
        cv::extractChannel(lab, lightness, 0);
        cv::bilateralFilter(lightness, calm, 5, contrast, 1.5);
        cv::GaussianBlur(lab, lab, cv::Size(), chroma_sd, 0, cv::BORDER_REFLECT);
        cv::insertChannel(calm, lab, 0);
    });
}

void blur(RgbImage& rgb, Random& random) {
    cv::Mat pixels = as_mat(rgb);
    cv::GaussianBlur(pixels, pixels, cv::Size(), random.uniform(0.5, 1.2), 0, cv::BORDER_REFLECT);
}

void sharpen(RgbImage& rgb, Random& random) {
    cv::Mat pixels = as_mat(rgb), smooth;
    cv::GaussianBlur(pixels, smooth, cv::Size(), random.uniform(0.7, 1.6), 0, cv::BORDER_REFLECT);
    const double amount = random.uniform(0.3, 2.5);
    cv::addWeighted(pixels, 1 + amount, smooth, -amount, 0, pixels);
}

TrainingPatch augment(const RgbImage& rgb, const LabelImage& ids, int side,
                      const StainMatrix& stains, const AugmentConfig& config, uint64_t seed) {
    Random random(seed);
    TrainingPatch patch = cut_patch(rgb, ids, side, config, random);
    if (random.chance(config.elastic)) displace_elastically(patch, config.elastic_px, random);
    if (random.chance(config.crowding)) crowd_nuclei(patch, random);
    if (random.chance(config.paleness)) make_nuclei_pale(patch, random);
    if (random.chance(config.distractors)) add_distractors(patch, random);
    if (random.chance(config.calm)) remove_noise(patch.rgb, random);
    if (random.chance(config.stain)) change_stains(patch.rgb, stains, random);
    if (random.chance(config.exposure)) change_exposure(patch.rgb, random);
    if (random.chance(config.gamma)) change_gamma(patch.rgb, random);
    if (random.chance(config.intensity)) change_intensity(patch.rgb, random);
    if (random.chance(config.clahe)) equalise_locally(patch.rgb, random);
    if (random.chance(config.sharpness)) (random.chance(0.7) ? sharpen : blur)(patch.rgb, random);
    if (random.chance(config.noise)) add_noise(patch.rgb, config.noise_sd, random);
    return patch;
}

}  // namespace wsi
