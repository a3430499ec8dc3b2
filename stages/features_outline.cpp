#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

constexpr size_t kSamples = 128;
using Spectrum = std::array<std::complex<double>, kSamples>;

double distance(const ContourPoint& a, const ContourPoint& b) {
    return norm(static_cast<double>(b.x) - a.x, static_cast<double>(b.y) - a.y);
}

/// Unit chords of the ring cut at kSamples points of equal arc length: exp(i · tangent angle).
/// False when the ring has no length.
bool unit_tangents(std::span<const ContourPoint> ring, Spectrum& out) {
    double length = 0;
    for (size_t i = 0; i < ring.size(); ++i)
        length += distance(ring[i], ring[i + 1 < ring.size() ? i + 1 : 0]);
    if (!(length > 0)) return false;
    // About the first vertex, so that rounding does not depend on where the nucleus lies.
    const auto position = [o = ring.front()](const ContourPoint& p) {
        return std::complex<double>(static_cast<double>(p.x) - o.x, static_cast<double>(p.y) - o.y);
    };
    Spectrum points;
    double walked = 0;
    size_t k = 0;
    for (size_t i = 0; i < ring.size(); ++i) {
        const ContourPoint &a = ring[i], &b = ring[i + 1 < ring.size() ? i + 1 : 0];
        const double side = distance(a, b);
        for (; k < kSamples; ++k) {
            const double along = length * static_cast<double>(k) / kSamples - walked;
            if (along > side) break;
            const double t = side > 0 ? along / side : 0;
            points[k] = position(a) + t * (position(b) - position(a));
        }
        walked += side;
    }
    for (; k < kSamples; ++k) points[k] = points[0];  // the end, when rounding fell short of it
    for (size_t i = 0; i < kSamples; ++i) {
        const std::complex<double> chord = points[(i + 1) % kSamples] - points[i];
        const double size = norm(chord.real(), chord.imag());
        out[i] = size > 0 ? chord / size : chord;
    }
    return true;
}

/// Forward transform in place: bit reversal, then radix-2 butterflies.
void fourier_transform(Spectrum& v) {
    static const Spectrum roots = [] {
        Spectrum r;
        for (size_t k = 0; k < kSamples; ++k)
            r[k] = std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / kSamples);
        return r;
    }();
    for (size_t i = 1, j = 0; i < kSamples; ++i) {
        size_t bit = kSamples / 2;
        for (; j & bit; bit /= 2) j ^= bit;
        j ^= bit;
        if (i < j) std::swap(v[i], v[j]);
    }
    for (size_t half = 1; half < kSamples; half *= 2)
        for (size_t begin = 0; begin < kSamples; begin += 2 * half)
            for (size_t k = 0; k < half; ++k) {
                const std::complex<double>& w = roots[k * (kSamples / 2 / half)];
                std::complex<double>&a = v[begin + k], &b = v[begin + k + half];
                const std::complex<double> t{w.real() * b.real() - w.imag() * b.imag(),
                                             w.real() * b.imag() + w.imag() * b.real()};
                b = a - t;
                a += t;
            }
}

}  // namespace

std::array<double, kFourierBands> fourier_bands(std::span<const ContourPoint> ring) {
    std::array<double, kFourierBands> bands;
    bands.fill(std::numeric_limits<double>::quiet_NaN());
    Spectrum v;
    if (!unit_tangents(ring, v)) return bands;
    fourier_transform(v);
    double total = 0;
    for (const auto& c : v) total += std::norm(c);
    // Band b: frequencies 2^b − 1 .. 2^(b + 1) − 2.
    for (size_t b = 0; b < kFourierBands; ++b) {
        double energy = 0;
        for (size_t k = (size_t{1} << b) - 1; k < (size_t{2} << b) - 1; ++k)
            energy += std::norm(v[k]);
        bands[b] = energy / total;
    }
    return bands;
}

const FeatureSchema& outline_columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all{
            {"shape_max_caliper_px", "px",
             "largest distance of two contour points, level-0 pixels"},
            {"shape_min_caliper_px", "px",
             "least width between two parallel lines, level-0 pixels"},
            {"shape_bounding_circle_diameter_px", "px",
             "smallest circle around the contour, level-0 pixels"},
            {"shape_max_caliper_um", "um", "largest distance of two contour points"},
            {"shape_min_caliper_um", "um", "least width between two parallel lines"},
            {"shape_bounding_circle_diameter_um", "um", "smallest circle around the contour"},
            {"shape_convexity", "1", "perimeter of the contour's convex hull over perimeter"},
        };
        for (size_t b = 1; b <= kFourierBands; ++b)
            all.push_back({"shape_fsd_" + std::to_string(b), "1",
                           "share of the tangent's spectral energy in a band"});
        return all;
    }();
    return columns;
}

void compute_outline(const NucleusPixels& nucleus, const WorkFrame& frame, Scratch& s, float* out) {
    s.ring_hull.clear();
    double perimeter = 0, hull_perimeter = 0;
    for (size_t i = 0; i < nucleus.ring.size(); ++i) {
        const ContourPoint& p = nucleus.ring[i];
        s.ring_hull.push_back({p.x, p.y});
        perimeter += distance(p, nucleus.ring[i + 1 < nucleus.ring.size() ? i + 1 : 0]);
    }
    std::sort(s.ring_hull.begin(), s.ring_hull.end(), [](const PixelPoint& a, const PixelPoint& b) {
        return a.y != b.y ? a.y < b.y : a.x < b.x;
    });
    convex_hull(s.ring_hull, s.chain);
    for (size_t i = 0; i < s.ring_hull.size(); ++i) {
        const PixelPoint &a = s.ring_hull[i], &b = s.ring_hull[(i + 1) % s.ring_hull.size()];
        hull_perimeter += norm(static_cast<double>(b.x - a.x), static_cast<double>(b.y - a.y));
    }
    const Calipers calipers = calipers_of(s.ring_hull);
    const double diameter = 2 * bounding_circle(s.ring_hull).r;
    for (const double unit : {kContourScale, kContourScale * frame.mpp() / frame.downsample})
        for (const double length : {calipers.most, calipers.least, diameter})
            *out++ = static_cast<float>(length * unit);
    *out++ = static_cast<float>(hull_perimeter / perimeter);
    for (const double band : fourier_bands(nucleus.ring)) *out++ = static_cast<float>(band);
}

}  // namespace wsi::features
