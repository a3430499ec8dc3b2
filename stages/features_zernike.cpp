#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

constexpr int kMostOrder = 9;

struct Order {
    int n, m;
};
constexpr size_t kOrders = 30;
constexpr std::array<Order, kOrders> kOrder = [] {
    std::array<Order, kOrders> all{};
    size_t k = 0;
    for (int n = 0; n <= kMostOrder; ++n)
        for (int m = n % 2; m <= n; m += 2) all[k++] = {n, m};
    return all;
}();

/// Coefficients of r^n, r^(n − 2), … r^m of the radial polynomial of one order.
std::array<double, kMostOrder / 2 + 1> radial_polynomial(const Order& o) {
    const auto factorial = [](int v) { return std::tgamma(v + 1); };
    std::array<double, kMostOrder / 2 + 1> c{};
    for (int k = 0; k <= (o.n - o.m) / 2; ++k)
        c[static_cast<size_t>(k)] =
            (k % 2 ? -1 : 1) *
            std::round(factorial(o.n - k) / (factorial(k) * factorial((o.n + o.m) / 2 - k) *
                                             factorial((o.n - o.m) / 2 - k)));
    return c;
}

}  // namespace

const FeatureSchema& zernike_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all;
        for (const Order& o : kOrder)
            all.push_back({"shape_zernike_" + std::to_string(o.n) + "_" + std::to_string(o.m), "1",
                           "magnitude of a Zernike moment in the smallest circle"});
        return all;
    }();
    return columns;
}

void compute_zernike(const NucleusPixels& nucleus, Scratch& s, float* out) {
    static const auto kPolynomials = [] {
        std::array<std::array<double, kMostOrder / 2 + 1>, kOrders> all;
        for (size_t k = 0; k < kOrders; ++k) all[k] = radial_polynomial(kOrder[k]);
        return all;
    }();
    s.hull.clear();
    for (const PixelRun& run : nucleus.runs) {
        s.hull.push_back({run.x0 - s.box.x, run.y - s.box.y});
        if (run.x1 - 1 > run.x0) s.hull.push_back({run.x1 - 1 - s.box.x, run.y - s.box.y});
    }
    convex_hull(s.hull, s.chain);
    const Circle circle = bounding_circle(s.hull);
    std::array<std::complex<double>, kOrders> sums{};
    std::array<std::complex<double>, kMostOrder + 1> powers;
    for (const PixelRun& run : nucleus.runs)
        for (int32_t x = run.x0; x < run.x1; ++x) {
            const std::complex<double> z{
                (static_cast<double>(run.y - s.box.y) - circle.y) / circle.r,
                (static_cast<double>(x - s.box.x) - circle.x) / circle.r};
            const double rr = std::norm(z);
            powers[0] = 1;
            for (size_t m = 1; m < powers.size(); ++m) powers[m] = powers[m - 1] * z;
            for (size_t k = 0; k < kOrders; ++k) {
                double radial = 0;
                for (int i = 0; i <= (kOrder[k].n - kOrder[k].m) / 2; ++i)
                    radial = radial * rr + kPolynomials[k][static_cast<size_t>(i)];
                sums[k] += radial * powers[static_cast<size_t>(kOrder[k].m)];
            }
        }
    const double area = std::numbers::pi * circle.r * circle.r;  // 0 for one pixel: NaN
    for (const auto& sum : sums) *out++ = static_cast<float>(std::abs(sum) / area);
}

}  // namespace wsi::features
