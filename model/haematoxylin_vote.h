#pragma once

#include <memory>

#include "model/segmenter.h"

namespace wsi {

/// A segmenter whose probabilities haematoxylin has a say in. Networks go by darkness first; red
/// blood cells and pigment are dark and pale nuclei are not, but their colour tells. The log-odds
/// of each pixel gain
///
///     weight · ((h − limit) / threshold + 7.5 · min(0, b − usual))
///
/// where the quotient ends at 1, and it and the sum at −1.5. Integers throughout.
///
/// h: haematoxylin density, mean of a square of 1 µm; threshold, limit: the border between nuclei
/// and the rest on this slide, and that border raised by half of what the surroundings (24 µm) have
/// above the slide's mean (model/haematoxylin_border.h); b, usual: the square's blueness, and the
/// median of the slide's stained pixels (model/blueness.h), which H&E slides alone have.
class HaematoxylinVote final : public Segmenter {
public:
    HaematoxylinVote(std::unique_ptr<Segmenter> inner, double weight);
    const InputSpec& input_spec() const override { return spec_; }
    int max_concurrency() const override { return inner_->max_concurrency(); }
    int64_t working_bytes() const override;
    int64_t shared_bytes() const override { return inner_->shared_bytes(); }
    bool owns_thread() const override { return inner_->owns_thread(); }
    /// {threshold, mean} of the smoothed haematoxylin density, natural-log OD; the usual blueness
    /// in its steps; then the inner segmenter's own.
    std::vector<double> fit_slide(const SlideSample& sample) const override;
    void segment(std::span<TileSlot* const> batch, std::span<const double> slide_params) override;

private:
    std::unique_ptr<Segmenter> inner_;
    double weight_;
    InputSpec spec_;
};

}  // namespace wsi
