#include "stages/lab.h"

#include <algorithm>
#include <cmath>

namespace wsi {

namespace {
constexpr std::array<double, 3> kWhite{0.95047, 1.0, 1.08883};

double linear(uint8_t value) {
    static const auto table = [] {
        std::array<double, 256> t{};
        for (size_t i = 0; i < t.size(); ++i) {
            const double v = static_cast<double>(i) / 255;
            t[i] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
        }
        return t;
    }();
    return table[value];
}

uint8_t encoded(double v) {
    v = std::clamp(v, 0.0, 1.0);
    const double s = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
    return static_cast<uint8_t>(std::lround(255 * s));
}

double forward(double t) {
    return t > 0.008856451679 ? std::cbrt(t) : 7.787037037 * t + 16.0 / 116;
}
double backward(double f) { return f > 0.206896552 ? f * f * f : (f - 16.0 / 116) / 7.787037037; }
}  // namespace

std::array<double, 3> rgb_to_lab(const uint8_t* rgb) {
    const double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    const double x = forward((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / kWhite[0]);
    const double y = forward((0.2126729 * r + 0.7151522 * g + 0.0721750 * b) / kWhite[1]);
    const double z = forward((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / kWhite[2]);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

void lab_to_rgb(const std::array<double, 3>& lab, uint8_t* rgb) {
    const double fy = (lab[0] + 16) / 116;
    const double x = kWhite[0] * backward(fy + lab[1] / 500), y = kWhite[1] * backward(fy),
                 z = kWhite[2] * backward(fy - lab[2] / 200);
    rgb[0] = encoded(3.2404542 * x - 1.5371385 * y - 0.4985314 * z);
    rgb[1] = encoded(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z);
    rgb[2] = encoded(0.0556434 * x - 0.2040259 * y + 1.0572252 * z);
}

}  // namespace wsi
