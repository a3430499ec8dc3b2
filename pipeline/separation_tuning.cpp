#include "pipeline/separation_tuning.h"

#include <tbb/parallel_for.h>

#include <array>

#include "io/types/work_frame.h"
#include "stages/metrics.h"
#include "stages/separate.h"

namespace wsi {

namespace {

struct Axis {
    double SeparateConfig::*setting;
    std::array<double, 6> values;
};

constexpr std::array<Axis, 4> kAxes{{
    {&SeparateConfig::threshold, {0.35, 0.4, 0.45, 0.5, 0.55, 0.6}},
    {&SeparateConfig::h, {0.02, 0.04, 0.06, 0.08, 0.12, 0.18}},
    {&SeparateConfig::smoothing_um, {0.25, 0.35, 0.5, 0.7, 0.9, 1.2}},
    {&SeparateConfig::min_area_um2, {4, 6, 8, 10, 13, 16}},
}};

/// True when a value of this axis was better than the present one.
bool improve(const Axis& axis, const std::vector<PredictedImage>& images, double mpp,
             TunedSeparation& best) {
    bool better = false;
    const SeparateConfig present = best.settings;
    for (const double value : axis.values) {
        SeparateConfig tried = present;
        tried.*axis.setting = value;
        const Score score = score_separation(tried, images, mpp);
        if (score.pq <= best.score.pq) continue;
        best = {tried, score};
        better = true;
    }
    return better;
}

}  // namespace

Score score_separation(const SeparateConfig& settings, const std::vector<PredictedImage>& images,
                       double mpp) {
    const auto params = SeparateParams::from(settings, WorkFrame{{1, 1}, 1, mpp, mpp});
    std::vector<Metrics> of_images(images.size());
    tbb::parallel_for(size_t{0}, images.size(), [&](size_t i) {
        const PredictedImage& image = images[i];
        LabelImage found(image.truth->width(), image.truth->height());
        const Separator separate(params);
        separate(image.probability, image.distance, found.view());
        of_images[i] =
            metrics(count_metrics(contingency(image.truth->view(), found.view()), Compat::Ours),
                    Compat::Ours);
    });
    Score sum;
    for (const Metrics& m : of_images) {
        sum.dice += m.dice_fg;
        sum.pq += m.pq;
        sum.aji += m.aji;
    }
    const auto n = static_cast<double>(images.size());
    return {sum.dice / n, sum.pq / n, sum.aji / n};
}

TunedSeparation tune_separation(const SeparateConfig& start,
                                const std::vector<PredictedImage>& images, double mpp) {
    TunedSeparation best{start, score_separation(start, images, mpp)};
    bool better = true;
    while (better) {
        better = false;
        for (const Axis& axis : kAxes) better = improve(axis, images, mpp, best) || better;
    }
    return best;
}

}  // namespace wsi
