#pragma once

#include <cstdint>
#include <vector>

#include "io/types/image.h"

namespace wsi {

using DensityImage = Image<uint16_t>;
using DensityView = ImageView<uint16_t>;
using ConstDensityView = ImageView<const uint16_t>;

/// Fixed point of densities: this many steps per unit of natural-log optical density.
inline constexpr int kDensityUnit = 1024;
inline constexpr int kMaxDensity = 4095;

/// Haematoxylin density by fixed stain vectors, eosin taken out, by least squares; clamped to
/// 0..kMaxDensity; 0 where there is ink. out: size of rgb.
void haematoxylin_density(ConstRgbView rgb, DensityView out);

/// Mean over a (2 radius + 1)² box, rounded down; past the border the edge pixel repeats.
/// in, out: one size, not overlapping; values ≤ kMaxDensity. sums: scratch.
void box_mean(ConstDensityView in, DensityView out, int radius, std::vector<uint32_t>& sums);

/// Binomial 3 x 3 (Gaussian of variance 1/2), rounded; past the border the edge pixel repeats.
/// Reach one pixel. in, out: one size, not overlapping.
void smooth_binomial(ConstDensityView in, DensityView out, DensityImage& scratch);

/// Brighter than any tissue in all channels.
bool is_glass(const uint8_t* rgb);

/// A copy in which glass, ink and what lies past the slide count as average tissue: or else the
/// local mean would fall, and the threshold with it, along every border of the tissue.
void fill_unstained(ConstRgbView rgb, ConstDensityView density, int mean, DensityView out);

/// Chamfer distance (3 straight, 4 diagonal, so three per pixel) from each pixel of the mask to the
/// nearest pixel outside it, at most kDistanceCap. Reach kDistanceCap / 3 pixels.
void capped_distance(ConstGrayView mask, GrayView out);
inline constexpr int kDistanceCap = 54;

}  // namespace wsi
