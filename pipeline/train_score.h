#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "pipeline/run_status.h"
#include "pipeline/separation_tuning.h"

namespace wsi {

enum class Colours { Own, Normalised };

/// What the averaged weights say about the development images; nothing when stopped. Own colours:
/// every second image brightened, so that weights that know one camera only are not the best.
std::optional<std::vector<PredictedImage>> predict_development(
    Trainer& trainer, const std::vector<TrainingImage>& images, Colours colours,
    const std::atomic<StopRequest>& stop);

/// The nuclei of one image's maps. mpp: of the maps.
LabelImage separated(const SeparateConfig& settings, const PredictedImage& image, double mpp);

double chosen_by(ChooseBy which, const Score& score);

}  // namespace wsi
