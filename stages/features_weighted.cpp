#include <cmath>

#include "stages/feature_groups.h"

namespace wsi::features {

const FeatureSchema& weighted_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all{
            {"nucleus_H_mass_displacement_um", "um",
             "distance of the centroid weighted with H from the plain one"},
            {"nucleus_H_centroid_dx_um", "um", "how far to the right of the plain one it lies"},
            {"nucleus_H_centroid_dy_um", "um", "how far below the plain one it lies"},
        };
        for (int k = 1; k <= 7; ++k)
            all.push_back({"nucleus_H_hu_" + std::to_string(k), "1",
                           "Hu's invariant moment of the nucleus weighted with H"});
        return all;
    }();
    return columns;
}

void compute_weighted(const Patch& patch, const WorkFrame& frame, float* out) {
    // Sums about the first pixel first, then about the centroid: few digits are lost either way.
    const size_t width = patch.width();
    const auto& plane = patch.density;
    double mass = 0, mass_x = 0, mass_y = 0, sum_x = 0, sum_y = 0;
    for (const uint32_t i : patch.nucleus) {
        const auto x = static_cast<double>(i % width), y = static_cast<double>(i / width);
        const auto w = static_cast<double>(plane[i]);
        mass += w;
        mass_x += w * x;
        mass_y += w * y;
        sum_x += x;
        sum_y += y;
    }
    const auto n = static_cast<double>(patch.nucleus.size());
    const double cx = mass_x / mass, cy = mass_y / mass;  // NaN without any H
    CentralMoments mu{};
    for (const uint32_t i : patch.nucleus) {
        const double x = static_cast<double>(i % width) - cx,
                     y = static_cast<double>(i / width) - cy;
        const auto w = static_cast<double>(plane[i]);
        const double wx = w * x, wy = w * y;
        mu[2][0] += wy * y;
        mu[1][1] += wx * y;
        mu[0][2] += wx * x;
        mu[3][0] += wy * y * y;
        mu[2][1] += wy * y * x;
        mu[1][2] += wx * x * y;
        mu[0][3] += wx * x * x;
    }
    const double second = mass * mass, third = second * std::sqrt(mass);
    for (double* v : {&mu[2][0], &mu[1][1], &mu[0][2]}) *v /= second;
    for (double* v : {&mu[3][0], &mu[2][1], &mu[1][2], &mu[0][3]}) *v /= third;
    const double dx = cx - sum_x / n, dy = cy - sum_y / n;
    *out++ = static_cast<float>(norm(dx, dy) * frame.mpp());
    *out++ = static_cast<float>(dx * frame.mpp_x);
    *out++ = static_cast<float>(dy * frame.mpp_y);
    for (const double hu : hu_moments(mu)) *out++ = static_cast<float>(hu);
}

}  // namespace wsi::features
