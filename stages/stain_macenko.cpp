#include "stages/stain_macenko.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace wsi::stain {

using Vector3 = std::array<double, 3>;

namespace {
double dot(const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
void normalise(Vector3& v) {
    const double length = std::sqrt(dot(v, v));
    for (double& c : v) c /= length;
}
}  // namespace

double optical_density(uint8_t value) { return -std::log((value + 1.0) / kWhiteLevel); }

Eigen3 symmetric_eigen(std::array<std::array<double, 3>, 3> a) {
    std::array<Vector3, 3> v{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};  // columns = vectors
    for (int sweep = 0; sweep < 50; ++sweep) {
        const double off = a[0][1] * a[0][1] + a[0][2] * a[0][2] + a[1][2] * a[1][2];
        if (off < 1e-30) break;
        for (size_t p = 0; p < 2; ++p)
            for (size_t q = p + 1; q < 3; ++q) {
                if (a[p][q] == 0) continue;
                const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                const double t =
                    (theta >= 0 ? 1.0 : -1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                const double c = 1 / std::sqrt(t * t + 1), s = t * c;
                for (size_t k = 0; k < 3; ++k) {
                    const double akp = a[k][p], akq = a[k][q];
                    a[k][p] = c * akp - s * akq;
                    a[k][q] = s * akp + c * akq;
                }
                for (size_t k = 0; k < 3; ++k) {
                    const double apk = a[p][k], aqk = a[q][k];
                    a[p][k] = c * apk - s * aqk;
                    a[q][k] = s * apk + c * aqk;
                    const double vkp = v[k][p], vkq = v[k][q];
                    v[k][p] = c * vkp - s * vkq;
                    v[k][q] = s * vkp + c * vkq;
                }
            }
    }
    std::array<size_t, 3> order{0, 1, 2};
    std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return a[i][i] < a[j][j]; });
    Eigen3 out{};
    for (size_t i = 0; i < 3; ++i) {
        out.values[i] = a[order[i]][order[i]];
        for (size_t k = 0; k < 3; ++k) out.vectors[i][k] = v[k][order[i]];
    }
    return out;
}

double percentile(std::span<double> values, double percent) {
    WSI_CHECK(!values.empty());
    const double rank = percent / 100 * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(rank);
    const size_t high = std::min(low + 1, values.size() - 1);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(low),
                     values.end());
    const double a = values[low];
    const double b =
        high == low
            ? a
            : *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(high), values.end());
    return a + (b - a) * (rank - static_cast<double>(low));
}

std::array<std::array<double, 3>, 2> unmixing(const StainMatrix& w) {
    const double aa = dot(w[0], w[0]), bb = dot(w[1], w[1]), ab = dot(w[0], w[1]);
    const double det = aa * bb - ab * ab;
    std::array<std::array<double, 3>, 2> inverse{};
    for (size_t k = 0; k < 3; ++k) {
        inverse[0][k] = (bb * w[0][k] - ab * w[1][k]) / det;
        inverse[1][k] = (aa * w[1][k] - ab * w[0][k]) / det;
    }
    return inverse;
}

bool macenko_vectors(std::span<const Vector3> od, StainMatrix& stains, std::string& reason) {
    Vector3 mean{};
    for (const Vector3& p : od)
        for (size_t k = 0; k < 3; ++k) mean[k] += p[k];
    for (double& m : mean) m /= static_cast<double>(od.size());
    std::array<Vector3, 3> covariance{};
    for (const Vector3& p : od)
        for (size_t i = 0; i < 3; ++i)
            for (size_t j = 0; j < 3; ++j) covariance[i][j] += (p[i] - mean[i]) * (p[j] - mean[j]);
    for (auto& row : covariance)
        for (double& c : row) c /= static_cast<double>(od.size() - 1);
    const Eigen3 eigen = symmetric_eigen(covariance);
    if (!(eigen.values[2] > 0) || eigen.values[1] / eigen.values[2] < 1e-3) {
        reason = "the colours lie on one line: a single stain";
        return false;
    }
    Vector3 second = eigen.vectors[1], largest = eigen.vectors[2];
    // An eigenvector's sign is arbitrary; pointing both along the data keeps atan2 off its cut.
    if (dot(second, mean) < 0)
        for (double& c : second) c = -c;
    if (dot(largest, mean) < 0)
        for (double& c : largest) c = -c;
    std::vector<double> angle(od.size());
    std::transform(od.begin(), od.end(), angle.begin(),
                   [&](const Vector3& p) { return std::atan2(dot(p, largest), dot(p, second)); });
    const double low = percentile(angle, 1), high = percentile(angle, 99);
    const auto direction = [&](double phi) {
        Vector3 v;
        for (size_t k = 0; k < 3; ++k)
            v[k] = second[k] * std::cos(phi) + largest[k] * std::sin(phi);
        normalise(v);
        return v;
    };
    const Vector3 a = direction(low), b = direction(high);
    stains = a[0] > b[0] ? StainMatrix{a, b} : StainMatrix{b, a};
    return true;
}

bool vahadane_vectors(std::span<const Vector3> od, StainMatrix& stains, std::string& reason) {
    // Alternates between sparse codes (coordinate descent, lambda 0.1) and atoms, from Macenko's
    // answer.
    if (!macenko_vectors(od, stains, reason)) return false;
    for (auto& atom : stains)
        for (double& c : atom) c = std::max(c, 0.0);
    constexpr double kLambda = 0.1;
    constexpr int kSweeps = 30;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
        const double ab = dot(stains[0], stains[1]);
        double gram[2][2] = {{0, 0}, {0, 0}};
        StainMatrix cross{};
        for (const Vector3& p : od) {
            const double pa = dot(p, stains[0]), pb = dot(p, stains[1]);
            double ca = 0, cb = 0;
            for (int k = 0; k < 8; ++k) {
                ca = std::max(0.0, pa - ab * cb - kLambda);
                cb = std::max(0.0, pb - ab * ca - kLambda);
            }
            gram[0][0] += ca * ca;
            gram[0][1] += ca * cb;
            gram[1][1] += cb * cb;
            for (size_t k = 0; k < 3; ++k) {
                cross[0][k] += ca * p[k];
                cross[1][k] += cb * p[k];
            }
        }
        if (!(gram[0][0] > 0) || !(gram[1][1] > 0)) {
            reason = "one stain is absent";
            return false;
        }
        gram[1][0] = gram[0][1];
        for (size_t i = 0; i < 2; ++i) {
            const size_t j = 1 - i;
            for (size_t k = 0; k < 3; ++k)
                stains[i][k] =
                    std::max(0.0, (cross[i][k] - gram[i][j] * stains[j][k]) / gram[i][i]);
            normalise(stains[i]);
        }
    }
    if (stains[0][0] < stains[1][0]) std::swap(stains[0], stains[1]);
    return true;
}

}  // namespace wsi::stain
