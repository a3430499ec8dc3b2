#include "stages/cubic_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace wsi {

namespace {

/// Index of a line mirrored at its first and last element.
int64_t mirrored(int64_t i, int64_t n) {
    if (n == 1) return 0;
    const int64_t period = 2 * n - 2, k = ((i % period) + period) % period;
    return k < n ? k : period - k;
}

/// B-spline coefficients of a line in place (Unser 1999, box 2; the pole of degree 3).
void to_coefficients(std::vector<double>& line) {
    const auto n = static_cast<int64_t>(line.size());
    if (n == 1) return;
    const double pole = std::sqrt(3.0) - 2;
    const auto at = [&](int64_t i) -> double& { return line[static_cast<size_t>(i)]; };
    // The causal start is a sum over the mirrored line; after 40 steps the pole's power is 1e-23.
    double start = 0, power = 1;
    for (int64_t k = 0; k < 40; ++k, power *= pole) start += power * at(mirrored(k, n));
    at(0) = start;
    for (int64_t i = 1; i < n; ++i) at(i) += pole * at(i - 1);
    at(n - 1) = pole / (pole * pole - 1) * (at(n - 1) + pole * at(n - 2));
    for (int64_t i = n - 2; i >= 0; --i) at(i) = pole * (at(i + 1) - at(i));
    for (double& c : line) c *= 6;
}

/// Weights of the four coefficients around a point `t` after the second.
std::array<double, 4> cubic_weights(double t) {
    const double u = 1 - t;
    return {u * u * u / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * u * u * u - 6 * u * u + 4) / 6,
            t * t * t / 6};
}

std::vector<double> enlarged(std::vector<double> line, int64_t size) {
    const auto n = static_cast<int64_t>(line.size());
    to_coefficients(line);
    std::vector<double> out;
    for (int64_t i = 0; i < size; ++i) {
        const double at =
            (static_cast<double>(i) + 0.5) * static_cast<double>(n) / static_cast<double>(size) -
            0.5;
        const double floor = std::floor(at);
        const std::array<double, 4> weights = cubic_weights(at - floor);
        double sum = 0;
        for (int64_t k = 0; k < 4; ++k)
            sum += weights[static_cast<size_t>(k)] *
                   line[static_cast<size_t>(mirrored(static_cast<int64_t>(floor) - 1 + k, n))];
        out.push_back(sum);
    }
    return out;
}

}  // namespace

void cubic_enlarge(ConstRgbView in, int64_t width, int64_t height, RgbImage& out) {
    WSI_CHECK(!in.empty() && width >= in.width && height >= in.height);
    uint8_t least = 255, most = 0;
    for (int64_t y = 0; y < in.height; ++y) {
        const auto [low, high] = std::minmax_element(in.row(y), in.row(y) + 3 * in.width);
        least = std::min(least, *low);
        most = std::max(most, *high);
    }
    out.resize(width, height);
    Image<double> tall(in.width, height);  // one channel, enlarged downwards
    for (int c = 0; c < 3; ++c) {
        for (int64_t x = 0; x < in.width; ++x) {
            std::vector<double> column;
            for (int64_t y = 0; y < in.height; ++y) column.push_back(in(x, y, c));
            column = enlarged(std::move(column), height);
            for (int64_t y = 0; y < height; ++y) tall(x, y) = column[static_cast<size_t>(y)];
        }
        for (int64_t y = 0; y < height; ++y) {
            const double* row = tall.view().row(y);
            const std::vector<double> wide = enlarged({row, row + in.width}, width);
            for (int64_t x = 0; x < width; ++x)
                // A whisker more than nothing: what is a whole number must not be rounded below it.
                out(x, y, c) = static_cast<uint8_t>(
                    std::clamp<double>(wide[static_cast<size_t>(x)] + 1e-9, least, most));
        }
    }
}

}  // namespace wsi
