#include <cmath>
#include <string>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

constexpr std::array<std::array<size_t, 2>, 13> kOrders{{{2, 0},
                                                         {1, 1},
                                                         {0, 2},
                                                         {3, 0},
                                                         {2, 1},
                                                         {1, 2},
                                                         {0, 3},
                                                         {1, 3},
                                                         {2, 2},
                                                         {3, 1},
                                                         {2, 3},
                                                         {3, 2},
                                                         {3, 3}}};

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

// Integers would overflow for the largest nuclei. Of n numbers in a row whose mean is c the sum of
// squares is n c² + s and that of cubes n c³ + 3 c s, with s = n (n² − 1) / 12: nothing cancels.
void add_higher_moments(std::span<const PixelRun> runs, CentralMoments& mu) {
    const PixelRun& middle = runs[runs.size() / 2];
    const int64_t x0 = (int64_t{middle.x0} + middle.x1) / 2, y0 = middle.y;
    double sum_x = 0, sum_y = 0;
    for (const PixelRun& run : runs) {
        const auto n = static_cast<double>(run.x1 - run.x0);
        sum_x += n * static_cast<double>(run.x0 + run.x1 - 1 - 2 * x0);
        sum_y += n * static_cast<double>(run.y - y0);
    }
    const double x = sum_x / (2 * mu[0][0]), y = sum_y / mu[0][0];
    for (const PixelRun& run : runs) {
        const auto n = static_cast<double>(run.x1 - run.x0);
        const double c = static_cast<double>(run.x0 + run.x1 - 1 - 2 * x0) / 2 - x,
                     d = static_cast<double>(run.y - y0) - y, dd = d * d;
        const double s = n * (n * n - 1) / 12, first = n * c, second = n * c * c + s,
                     third = c * (n * c * c + 3 * s);
        mu[1][3] += d * third;
        mu[2][2] += dd * second;
        mu[3][1] += dd * d * first;
        mu[2][3] += dd * third;
        mu[3][2] += dd * d * second;
        mu[3][3] += dd * d * third;
    }
}

const FeatureSchema& moment_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all;
        const auto order = [](const std::array<size_t, 2>& pq) {
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

void compute_moments(const NucleusPixels& nucleus, const WorkFrame& frame, Scratch& scratch,
                     float* out) {
    CentralMoments mu = scratch.moments, nu{};
    add_higher_moments(nucleus.runs, mu);
    // By order p + q: area^(1 + order / 2), micrometres per pixel^(order + 2).
    const double area = mu[0][0], root = std::sqrt(area), um = frame.mpp();
    std::array<double, 7> areas{area}, scales{um * um};
    for (size_t order = 1; order < areas.size(); ++order) {
        areas[order] = areas[order - 1] * root;
        scales[order] = scales[order - 1] * um;
    }
    for (const auto& [p, q] : kOrders) {
        nu[p][q] = mu[p][q] / areas[p + q];
        *out++ = static_cast<float>(mu[p][q] * scales[p + q]);
    }
    for (const auto& [p, q] : kOrders) *out++ = static_cast<float>(nu[p][q]);
    for (const double hu : hu_moments(nu)) *out++ = static_cast<float>(hu);
}

}  // namespace wsi::features
