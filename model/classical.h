#pragma once

#include <span>
#include <vector>

#include "model/segmenter.h"

namespace wsi {

/// The floor: no training, no weights. Haematoxylin density of the slide's own colours against a
/// slide-wide threshold that follows the local mean half-way; every operation is a window operation
/// whose reaches add up to at most the halo, so that a core pixel does not depend on where the tile
/// grid lies. Integers throughout. segment() may be called by any number of threads.
class ClassicalSegmenter final : public Segmenter {
public:
    ClassicalSegmenter();
    const InputSpec& input_spec() const override { return spec_; }
    /// {threshold, mean} of the smoothed haematoxylin density, natural-log OD. Threshold: Otsu's
    /// rule on the pooled patches, glass at no more than a quarter of the tissue's weight, raised
    /// where the two classes separate badly, kept inside a sane range; mean: of tissue alone.
    /// Usual values without tissue.
    std::vector<double> fit_slide(const SlideSample& sample) const override;
    void segment(std::span<TileSlot* const> batch, std::span<const double> slide_params) override;

private:
    InputSpec spec_;
};

}  // namespace wsi
