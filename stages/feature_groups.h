#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "io/types/image.h"
#include "stages/feature_patch.h"
#include "stages/features.h"

// One group of columns = one file with a `columns` and a `compute` function; stages/features.cpp
// lists them. Internal to stages/features*.cpp. Every value of docs/features.md is defined there.
namespace wsi::features {

/// Length of a vector. No coordinate comes near where its square overflows, the case that
/// std::hypot pays for.
inline double norm(double x, double y) { return std::sqrt(x * x + y * y); }

/// Σ (y − ȳ)^p (x − x̄)^q over pixel centres for p, q ≤ 3, in work pixels (scikit-image's
/// moments_central: p along rows).
using CentralMoments = std::array<std::array<double, 4>, 4>;

/// What the groups share per nucleus, and their scratch memory: nothing allocates once the largest
/// nucleus was seen. One per thread.
struct Scratch {
    std::vector<PixelPoint> hull, chain;  ///< of convex hulls
    std::vector<int64_t> first, last;     ///< per row: ends inside the convex hull
    std::vector<PixelPoint> ring_hull;    ///< hull of the contour, hundredths of level-0 pixels
    PixelRect box;                        ///< of the nucleus, work pixels
    CentralMoments moments{};             ///< of the nucleus's pixels, orders up to 3
    GrayImage mask;                       ///< the box grown by one pixel: 1 = nucleus
    std::vector<float> distances, values;
    std::vector<float> squared;   ///< of each pixel of the mask, its distance to the outside
    size_t squared_stride = 0;    ///< of its rows
    std::vector<double> walks;    ///< lengths of ways inside the mask
    std::vector<int64_t> counts;  ///< pixels by squared distance to the outside
    std::array<std::vector<float>, 2> stains;  ///< densities of the nucleus's pixels
    Patch patch;
    Summariser summarise;
    TexturePatch texture;
    GradientFeatures gradient;
    HaralickFeatures haralick;
};

/// Fills box, mask and moments; called before every group.
void begin_nucleus(std::span<const PixelRun> runs, Scratch& scratch);

const FeatureSchema& shape_columns();
void compute_shape(const NucleusPixels& nucleus, const WorkFrame& frame, Scratch& scratch,
                   float* out);

/// Mean and sd of both stains in the nucleus: the first of compute_intensity's, without a patch.
const FeatureSchema& stain_columns();
void compute_stains(const NucleusPixels& nucleus, const Deconvolver& deconvolve, Scratch& scratch,
                    float* out);

/// Calipers, bounding circle and Fourier descriptors of the contour; needs scratch.ring_hull,
/// which compute_outline makes itself.
const FeatureSchema& outline_columns();
void compute_outline(const NucleusPixels& nucleus, const WorkFrame& frame, Scratch& scratch,
                     float* out);

/// Distances to the border, which it leaves in `squared`, and box counting, on the mask.
const FeatureSchema& interior_columns();
void compute_interior(const WorkFrame& frame, Scratch& scratch, float* out);

/// Euler number of the mask.
const FeatureSchema& topology_columns();
void compute_topology(const Scratch& scratch, float* out);

/// Magnitudes of Zernike moments up to order 9 in the smallest circle around the pixel centres, as
/// CellProfiler's AreaShape_Zernike.
const FeatureSchema& zernike_columns();
void compute_zernike(const NucleusPixels& nucleus, Scratch& scratch, float* out);

/// Distribution of the first stain from the middle outwards, as CellProfiler's RadialDistribution;
/// needs scratch.patch and what compute_interior left.
const FeatureSchema& radial_columns();
void compute_radial(Scratch& scratch, float* out);

/// Pixels in the ring, and the nucleus's share of nucleus and ring; needs the patch.
const FeatureSchema& ring_columns();
void compute_ring(const Patch& patch, const WorkFrame& frame, float* out);

/// Centre and Hu moments of the first stain's density.
const FeatureSchema& weighted_columns();
void compute_weighted(const Patch& patch, const WorkFrame& frame, float* out);

/// Central, normalised and Hu moments.
const FeatureSchema& moment_columns();
void compute_moments(const NucleusPixels& nucleus, const WorkFrame& frame, Scratch& scratch,
                     float* out);

CentralMoments central_moments(std::span<const PixelRun> runs);
/// Those with p + q > 3, which central_moments leaves out.
void add_higher_moments(std::span<const PixelRun> runs, CentralMoments& mu);
/// Hu's invariants of normalised moments.
std::array<double, 7> hu_moments(const CentralMoments& nu);

/// Convex hull in place of points sorted by (y, x), turning from the first towards larger x;
/// points on its sides are left out. chain: scratch.
void convex_hull(std::vector<PixelPoint>& sorted, std::vector<PixelPoint>& chain);

/// Pixels whose centre lies in the convex hull of the middles of all pixel sides (scikit-image's
/// convex image); exact, in integers.
int64_t convex_area_px(std::span<const PixelRun> runs, Scratch& scratch);

struct Calipers {
    double least = 0, most = 0;  ///< width between two parallel lines around the points
};
/// Rotating calipers around a convex polygon of any number of points.
Calipers calipers_of(std::span<const PixelPoint> hull);

struct Circle {
    double x = 0, y = 0, r = -1;
    bool holds(const PixelPoint& p) const {
        return norm(static_cast<double>(p.x) - x, static_cast<double>(p.y) - y) <= r * (1 + 1e-12);
    }
};
/// The smallest circle around at least one point.
Circle bounding_circle(std::span<const PixelPoint> points);

/// Energy of the tangent's spectrum in six bands (HistomicsTK's FSD with K = 128).
inline constexpr size_t kFourierBands = 6;
std::array<double, kFourierBands> fourier_bands(std::span<const ContourPoint> ring);

}  // namespace wsi::features
