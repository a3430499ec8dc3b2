#pragma once

#include <span>

#include "io/types/image.h"

namespace wsi {

/// What the haematoxylin of a slide's tissue says as a whole; natural-log OD.
struct HaematoxylinBorder {
    double at = 0.7;          ///< Otsu's border between the two classes, dense and pale
    double separability = 1;  ///< share of the variance that lies between them, 0..1
    double mean = 0.35;       ///< of tissue alone

    /// The border as a threshold for nuclei: times `factor`, raised by up to 0.15 `slope` where the
    /// classes separate worse than `usual`, kept inside a sane range. Few nuclei hardly show in
    /// the histogram: the two classes are then pale and dark cytoplasm, and the border between them
    /// is too low.
    double threshold(double factor, double slope, double usual) const;
};

/// Pooled over patches, glass at no more than a quarter of the tissue's weight; usual values where
/// there is no tissue.
HaematoxylinBorder fit_haematoxylin_border(std::span<const RgbImage> patches);

/// A slide's threshold and mean density, in density steps (model/classical_filters.h).
struct HaematoxylinLevels {
    HaematoxylinLevels(double threshold_od, double mean_od);
    /// The threshold where the local mean is `local`: dense surroundings need more, pale ones less,
    /// by half of the difference from the slide's mean.
    int limit(int local) const { return threshold + (local - mean) / 2; }
    int threshold, mean;
};

}  // namespace wsi
