#include "pipeline/train_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace wsi {

double learning_rate(const TrainConfig& config, int64_t step, int64_t steps) {
    constexpr double kPower = 0.9, kCosineFloor = 0.01;
    const auto s = static_cast<double>(step);
    if (step < config.warmup_steps) return config.learning_rate * (s + 1) / config.warmup_steps;
    const double after_warmup = static_cast<double>(steps) - config.warmup_steps;
    const double done = std::min(1.0, (s - config.warmup_steps) / std::max(1.0, after_warmup));
    switch (config.decay) {
        case Decay::Cosine:
            return config.learning_rate *
                   (kCosineFloor +
                    (1 - kCosineFloor) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
        case Decay::Polynomial: return config.learning_rate * std::pow(1 - done, kPower);
        case Decay::None: break;
    }
    return config.learning_rate;
}

bool BestEpoch::offer(double score, int64_t epoch) {
    if (!(score > score_)) return false;
    score_ = score;
    epoch_ = epoch;
    return true;
}

}  // namespace wsi
