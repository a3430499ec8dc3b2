#pragma once

#include <array>
#include <span>

#include "model/classical_filters.h"

namespace wsi {

/// Steps per unit of blueness.
inline constexpr int kBluenessUnit = 1024;
/// The least blueness there is: nothing falls below it.
inline constexpr int kLeastBlueness = -kBluenessUnit;

/// How blue a stained pixel is, however dense: (OD red − OD blue) / (OD red + green + blue + 0.3),
/// −1..1, of mean natural-log ODs. Haematoxylin absorbs red most; eosin, red blood cells, pigment
/// and soot absorb more of the blue. The values themselves differ between scanners; their order
/// within a slide does not.
class Blueness {
public:
    /// Of squares of (2 radius + 1)² pixels; past the border the edge pixel repeats. Ink has none.
    void measure(ConstRgbView rgb, int radius);
    /// In steps of 1 / kBluenessUnit.
    int at(int64_t x, int64_t y) const {
        const int r = density_[0](x, y), g = density_[1](x, y), b = density_[2](x, y);
        return kBluenessUnit * (r - b) / (r + g + b + kDensityUnit * 3 / 10);
    }
    /// Whether the square holds enough stain for a colour: densities of 0.4 in sum.
    bool stained(int64_t x, int64_t y) const {
        return density_[0](x, y) + density_[1](x, y) + density_[2](x, y) > kDensityUnit * 2 / 5;
    }

private:
    std::array<DensityImage, 3> density_;
    DensityImage pixels_;
    std::vector<uint32_t> sums_;
};

/// Median over the stained pixels of all patches; kLeastBlueness when there are too few.
int median_blueness(std::span<const RgbImage> patches, int radius);

}  // namespace wsi
