#include "stages/principal_axes.h"

#include <cmath>

#include "config/error.h"

namespace wsi {

namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// Scalar products of all pairs once their mean is taken away: there are far fewer vectors than
/// values in one.
std::vector<Vector> gram(const std::vector<std::vector<float>>& vectors) {
    Vector mean(vectors.front().size());
    for (const auto& v : vectors) {
        WSI_CHECK(v.size() == mean.size(), v.size(), " values, ", mean.size(), " expected");
        for (size_t k = 0; k < v.size(); ++k) mean[k] += v[k];
    }
    std::vector<Vector> centred;
    for (const auto& v : vectors) {
        Vector c(v.begin(), v.end());
        for (size_t k = 0; k < c.size(); ++k) c[k] -= mean[k] / static_cast<double>(vectors.size());
        centred.push_back(std::move(c));
    }
    std::vector<Vector> products;
    for (const Vector& a : centred) {
        Vector row;
        for (const Vector& b : centred) row.push_back(dot(a, b));
        products.push_back(std::move(row));
    }
    return products;
}

/// The eigenvector of the greatest eigenvalue, of that value's root in length, by repeated
/// multiplication; zeros when there is none.
Vector greatest(const std::vector<Vector>& matrix) {
    const size_t n = matrix.size();
    Vector v(n);
    for (size_t i = 0; i < n; ++i) v[i] = 1 + 0.1 * static_cast<double>(i % 7);
    double value = 0;
    for (int round = 0; round < 500; ++round) {
        Vector next;
        for (const Vector& row : matrix) next.push_back(dot(row, v));
        value = std::sqrt(dot(next, next));
        if (!(value > 1e-12)) return Vector(n);
        for (double& x : next) x /= value;
        v = std::move(next);
    }
    double largest = 0;
    for (const double x : v)
        if (std::abs(x) > std::abs(largest)) largest = x;
    for (double& x : v) x *= std::copysign(std::sqrt(value), largest);
    return v;
}

}  // namespace

std::vector<std::array<double, 2>> principal_places(
    const std::vector<std::vector<float>>& vectors) {
    std::vector<std::array<double, 2>> places(vectors.size());
    if (vectors.size() < 2) return places;
    std::vector<Vector> products = gram(vectors);
    for (size_t axis = 0; axis < 2; ++axis) {
        const Vector v = greatest(products);
        for (size_t i = 0; i < v.size(); ++i) {
            places[i][axis] = v[i];
            for (size_t j = 0; j < v.size(); ++j) products[i][j] -= v[i] * v[j];
        }
    }
    return places;
}

}  // namespace wsi
