#pragma once

#include "config/config.h"
#include "io/types/image.h"
#include "io/types/random.h"
#include "stages/stain.h"

namespace wsi {

using LabelImage = Image<uint32_t>;  ///< instance id of each pixel, 0 = background

/// A square that a network learns from.
struct TrainingPatch {
    RgbImage rgb;
    LabelImage ids;
};

/// Each function changes the patch in place and draws only from `random`.
/// side px square out of the image: shifted, turned by a right angle, flipped; with the chance
/// `affine` turned, scaled and sheared as well. Outside the image colours and ids are reflected.
TrainingPatch cut_patch(const RgbImage& rgb, const LabelImage& ids, int side,
                        const AugmentConfig& config, Random& random);
/// By at most `most_px`.
void displace_elastically(TrainingPatch& patch, double most_px, Random& random);
/// Copies of the patch's nuclei beside, before and behind others, in rows or clumps.
void crowd_nuclei(TrainingPatch& patch, Random& random);
/// Nuclei pale all over or vesicular (a dark rim, an inside like its surroundings), or bluer.
void make_nuclei_pale(TrainingPatch& patch, Random& random);
/// Red blood cells, pigment or ink between the nuclei.
void add_distractors(TrainingPatch& patch, Random& random);
/// All channels ×0.85–2 (as far as nearly white), each ×0.93–1.07.
void change_exposure(RgbImage& rgb, Random& random);
/// 0.7–1.4, log-uniform.
void change_gamma(RgbImage& rgb, Random& random);
/// Brightness ±0.1, contrast 0.8–1.25, saturation 0.5–1.6, hue ±18°.
void change_intensity(RgbImage& rgb, Random& random);
/// CLAHE of the lightness, clip 1–3, 8x8 tiles.
void equalise_locally(RgbImage& rgb, Random& random);
/// That of colours most: scanners have hardly any, NuInsSeg's camera much.
void remove_noise(RgbImage& rgb, Random& random);
/// Gaussian, sd at most `most_sd` of the full range.
void add_noise(RgbImage& rgb, double most_sd, Random& random);
/// Gaussian of 0.5–1.2 px.
void blur(RgbImage& rgb, Random& random);
/// Unsharp mask of 0.7–1.6 px, amount 0.3–2.5.
void sharpen(RgbImage& rgb, Random& random);
/// Densities of haematoxylin ×0.65–1.7, of eosin ×0.4–1.6, ±0.03; vectors tilted or another
/// laboratory's.
void change_stains(RgbImage& rgb, const StainMatrix& stains, Random& random);

/// Everything above by its chance, in a fixed order. A pure function of its arguments.
TrainingPatch augment(const RgbImage& rgb, const LabelImage& ids, int side,
                      const StainMatrix& stains, const AugmentConfig& config, uint64_t seed);

/// Without chance: the middle square, reflected where the image is smaller.
TrainingPatch centre_patch(const RgbImage& rgb, const LabelImage& ids, int side);

}  // namespace wsi
