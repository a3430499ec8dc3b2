#include <cmath>
#include <string>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

constexpr std::array<std::array<int, 2>, 7> kOrders{
    {{2, 0}, {1, 1}, {0, 2}, {3, 0}, {2, 1}, {1, 2}, {0, 3}}};

/// Sums of m^k for 0 ≤ m < n, k = 0..3, as polynomials: exact for any integer n.
std::array<int64_t, 4> power_sums(int64_t n) {
    const int64_t s1 = (n - 1) * n / 2;
    return {n, s1, (n - 1) * n * (2 * n - 1) / 6, s1 * s1};
}

}  // namespace

std::array<double, 7> hu_moments(const CentralMoments& nu) {
    const double sum = nu[2][0] + nu[0][2], difference = nu[2][0] - nu[0][2];
    const double a = nu[3][0] + nu[1][2], b = nu[2][1] + nu[0][3];
    const double c = nu[3][0] - 3 * nu[1][2], d = 3 * nu[2][1] - nu[0][3];
    const double aa = a * a, bb = b * b;
    return {sum,
            difference * difference + 4 * nu[1][1] * nu[1][1],
            c * c + d * d,
            aa + bb,
            c * a * (aa - 3 * bb) + d * b * (3 * aa - bb),
            difference * (aa - bb) + 4 * nu[1][1] * a * b,
            d * a * (aa - 3 * bb) - c * b * (3 * aa - bb)};
}

CentralMoments central_moments(std::span<const PixelRun> runs) {
    // Sums about a pixel near the middle stay small integers: exact, so the order cannot matter.
    const PixelRun& middle = runs[runs.size() / 2];
    const int64_t x0 = (int64_t{middle.x0} + middle.x1) / 2, y0 = middle.y;
    std::array<std::array<int64_t, 4>, 4> raw{};
    for (const PixelRun& run : runs) {
        const auto below = power_sums(run.x0 - x0), upto = power_sums(run.x1 - x0);
        int64_t y_power = 1;
        for (size_t p = 0; p < 4; ++p, y_power *= run.y - y0)
            for (size_t q = 0; p + q < 4; ++q) raw[p][q] += y_power * (upto[q] - below[q]);
    }
    const auto m = [&raw](size_t p, size_t q) { return static_cast<double>(raw[p][q]); };
    const double n = m(0, 0), y = m(1, 0) / n, x = m(0, 1) / n;
    CentralMoments mu{};
    mu[0][0] = n;
    mu[2][0] = m(2, 0) - y * m(1, 0);
    mu[1][1] = m(1, 1) - y * m(0, 1);
    mu[0][2] = m(0, 2) - x * m(0, 1);
    mu[3][0] = m(3, 0) - 3 * y * m(2, 0) + 2 * y * y * m(1, 0);
    mu[2][1] = m(2, 1) - 2 * y * m(1, 1) - x * m(2, 0) + 2 * y * y * m(0, 1);
    mu[1][2] = m(1, 2) - 2 * x * m(1, 1) - y * m(0, 2) + 2 * x * x * m(1, 0);
    mu[0][3] = m(0, 3) - 3 * x * m(0, 2) + 2 * x * x * m(0, 1);
    return mu;
}

const FeatureSchema& moment_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all;
        const auto order = [](const std::array<int, 2>& pq) {
            return std::to_string(pq[0]) + std::to_string(pq[1]);
        };
        for (const auto& pq : kOrders)
            all.push_back({"shape_mu_" + order(pq), "um" + std::to_string(pq[0] + pq[1] + 2),
                           "central moment, order of y then of x"});
        for (const auto& pq : kOrders)
            all.push_back(
                {"shape_nu_" + order(pq), "1", "normalised central moment, order of y then of x"});
        for (int k = 1; k <= 7; ++k)
            all.push_back({"shape_hu_" + std::to_string(k), "1", "Hu's invariant moment"});
        return all;
    }();
    return columns;
}

void compute_moments(const NucleusPixels& nucleus, const WorkFrame& frame, float* out) {
    const CentralMoments mu = central_moments(nucleus.runs);
    CentralMoments nu{};
    // By order p + q = 2 and 3: area^(1 + order / 2), micrometres per pixel^(order + 2).
    const double area = mu[0][0], um2 = frame.mpp() * frame.mpp();
    const std::array<double, 2> areas{area * area, area * area * std::sqrt(area)},
        scales{um2 * um2, um2 * um2 * frame.mpp()};
    for (const auto& [p, q] : kOrders) {
        const auto row = static_cast<size_t>(p), column = static_cast<size_t>(q);
        const size_t third = p + q == 3;
        nu[row][column] = mu[row][column] / areas[third];
        *out++ = static_cast<float>(mu[row][column] * scales[third]);
    }
    for (const auto& [p, q] : kOrders)
        *out++ = static_cast<float>(nu[static_cast<size_t>(p)][static_cast<size_t>(q)]);
    for (const double hu : hu_moments(nu)) *out++ = static_cast<float>(hu);
}

}  // namespace wsi::features
