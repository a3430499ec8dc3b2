#pragma once

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

/// How likely each change is; strengths are fixed. Colours vary far more than in models of one
/// laboratory (models.md 7): between scanners, glass lies anywhere from 140 to 255.
struct AugmentOptions {
    /// Any angle, scale 0.44–1.27 (log-uniform), shear ±5°; else right angles and flips. Mostly
    /// smaller, because nuclei of NuInsSeg are twice as wide, at its stated resolution, as others'.
    double affine = 0.65;
    double elastic = 0.2;  ///< smooth displacement of at most 6 px
    /// Copies of the patch's nuclei beside, before and behind others, in rows or clumps.
    double crowding = 0.4;
    /// Nuclei pale all over or vesicular (a dark rim, an inside like its surroundings), or bluer.
    double paleness = 0.5;
    double distractors = 0.4;  ///< red blood cells, pigment or ink between the nuclei
    /// Noise taken away, that of colours most: scanners have hardly any, NuInsSeg's camera much.
    double calm = 0.5;
    double stain = 0.7;  ///< densities ×0.5–1.7, ±0.03; vectors tilted or another laboratory's
    double exposure = 0.75;  ///< all channels ×0.85–2 (as far as nearly white), each ×0.93–1.07
    double gamma = 0.3;      ///< 0.7–1.4, log-uniform
    double intensity = 0.5;  ///< brightness ±0.1, contrast 0.8–1.25, saturation 0.5–1.6, hue ±18°
    double clahe = 0.1;       ///< lightness, clip 1–3, 8x8 tiles
    double sharpness = 0.45;  ///< unsharp mask (seven of ten), else Gaussian of 0.5–1.2 px
    double noise = 0.2;       ///< Gaussian, sd ≤ 0.03
};

/// Each function changes the patch in place and draws only from `random`.
/// side px square out of the image: shifted, turned by a right angle, flipped; with a chance
/// turned, scaled and sheared as well. Outside the image colours and ids are reflected.
TrainingPatch cut_patch(const RgbImage& rgb, const LabelImage& ids, int side, double affine,
                        Random& random);
void displace_elastically(TrainingPatch& patch, Random& random);
void crowd_nuclei(TrainingPatch& patch, Random& random);
void make_nuclei_pale(TrainingPatch& patch, Random& random);
void add_distractors(TrainingPatch& patch, Random& random);
void change_exposure(RgbImage& rgb, Random& random);
void change_gamma(RgbImage& rgb, Random& random);
void change_intensity(RgbImage& rgb, Random& random);
void equalise_locally(RgbImage& rgb, Random& random);  ///< CLAHE
void remove_noise(RgbImage& rgb, Random& random);
void add_noise(RgbImage& rgb, Random& random);
void blur(RgbImage& rgb, Random& random);
void sharpen(RgbImage& rgb, Random& random);  ///< unsharp mask
void change_stains(RgbImage& rgb, const StainMatrix& stains, Random& random);

/// Everything above by its chance, in a fixed order. A pure function of its arguments.
TrainingPatch augment(const RgbImage& rgb, const LabelImage& ids, int side,
                      const StainMatrix& stains, const AugmentOptions& options, uint64_t seed);

/// Without chance: the middle square, reflected where the image is smaller.
TrainingPatch centre_patch(const RgbImage& rgb, const LabelImage& ids, int side);

}  // namespace wsi
