#include "pipeline/train_score.h"

#include "io/types/work_frame.h"
#include "stages/separate.h"

namespace wsi {

std::optional<std::vector<PredictedImage>> predict_development(
    Trainer& trainer, const std::vector<TrainingImage>& images, Colours colours,
    const std::atomic<StopRequest>& stop) {
    std::vector<PredictedImage> all;
    for (size_t i = 0; i < images.size(); ++i) {
        if (stop != StopRequest::None) return std::nullopt;
        const TrainingImage& image = images[i];
        PredictedImage& out = all.emplace_back();
        out.truth = &image.ids;
        const bool normalised = colours == Colours::Normalised && !image.normalised.empty();
        trainer.predict(normalised   ? image.normalised
                        : i % 2 == 0 ? image.rgb
                                     : as_scanned(image.rgb),
                        out.probability, out.distance);
    }
    return all;
}

LabelImage separated(const SeparateConfig& settings, const PredictedImage& image, double mpp) {
    const WorkFrame frame{{1, 1}, 1, mpp, mpp};
    LabelImage found(image.truth->width(), image.truth->height());
    Separator(SeparateParams::from(settings, frame))(image.probability, image.distance,
                                                     found.view());
    return found;
}

double chosen_by(ChooseBy which, const Score& score) {
    return which == ChooseBy::Pq ? score.pq : which == ChooseBy::Dice ? score.dice : score.aji;
}

}  // namespace wsi
