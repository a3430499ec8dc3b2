#include "pipeline/train_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "io/weights_file.h"
#include "model/network_library.h"
#include "pipeline/separation_tuning.h"
#include "pipeline/training_set.h"

namespace wsi {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class Number>
Number note(const WeightsNotes& notes, const char* key, Number otherwise) {
    const auto found = notes.find(key);
    if (found == notes.end()) return otherwise;
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), otherwise);
    return otherwise;
}

enum class Colours { Own, Normalised };

/// What the averaged weights say about the development images. Own colours: every second image
/// brightened, so that weights that know one camera only are not the best.
std::vector<PredictedImage> predict_all(Trainer& trainer, const std::vector<TrainingImage>& images,
                                        Colours colours) {
    std::vector<PredictedImage> all;
    for (size_t i = 0; i < images.size(); ++i) {
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

WeightsNotes as_notes(const SeparateConfig& s) {
    return {{"separate.threshold", fmt::format("{}", s.threshold)},
            {"separate.h", fmt::format("{}", s.h)},
            {"separate.smoothing_um", fmt::format("{}", s.smoothing_um)},
            {"separate.min_area_um2", fmt::format("{}", s.min_area_um2)}};
}

/// Linear warm-up, then half a cosine down to a hundredth.
double learning_rate(const TrainConfig& c, int64_t step, int64_t steps) {
    const auto s = static_cast<double>(step);
    if (step < c.warmup_steps) return c.learning_rate * (s + 1) / c.warmup_steps;
    const double done =
        (s - c.warmup_steps) / std::max(1.0, static_cast<double>(steps) - c.warmup_steps);
    return c.learning_rate *
           (0.01 + 0.99 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done))));
}

class TrainingRun {
public:
    TrainingRun(const TrainJob& job, const Config& config, const std::atomic<StopRequest>& stop)
        : job_(job),
          config_(config),
          stop_(stop),
          set_(read_training_set(job.folders, config)),
          patches_(set_.train, config_),
          trainer_(network_library().make_trainer(config)) {
        total_ = config.train.epochs * patches_.steps_per_epoch();
        fs::create_directories(job.output);
        start();
    }

    TrainReport run() {
        const int64_t per_epoch = patches_.steps_per_epoch();
        const int64_t last = job_.max_steps > 0 ? std::min(total_, job_.max_steps) : total_;
        while (step_ < last && stop_ == StopRequest::None) {
            one_step();
            if (step_ % per_epoch == 0) end_epoch();
            if (seconds_since(saved_) > 60 * config_.train.checkpoint_minutes) checkpoint();
        }
        checkpoint();
        if (step_ == total_) settle();
        return {step_ == total_, step_, best_pq_};
    }

private:
    std::string file(const char* name) const { return (fs::path(job_.output) / name).string(); }

    void start() {
        if (fs::exists(file("checkpoint.safetensors"))) {
            const WeightsNotes notes = trainer_->load_checkpoint(file("checkpoint.safetensors"));
            step_ = note<int64_t>(notes, "run.step", 0);
            best_pq_ = note<double>(notes, "run.best_pq", 0);
            spdlog::info("going on from step {} of {}", step_, total_);
        } else if (!job_.from.empty()) {
            trainer_->start_from(job_.from);
        }
        spdlog::info("{} images to train on, {} to choose by, {} steps", set_.train.size(),
                     set_.development.size(), total_);
    }

    void one_step() {
        const int64_t per_epoch = patches_.steps_per_epoch();
        const auto batch = patches_.batch(step_ / per_epoch, step_ % per_epoch);
        const StepLoss loss = trainer_->step(batch, learning_rate(config_.train, step_, total_));
        if (!std::isfinite(loss.total))
            fail(ErrorKind::Device, "the loss is not finite at step ", step_,
                 "; the last good weights are in ", job_.output,
                 ". Lower train.learning_rate or set train.precision=fp32");
        ++step_;
        sum_ += loss.total;
        dice_ += loss.dice;
        distance_ += loss.distance;
        ++count_;
        spdlog::debug("step {} loss {:.6f} dice {:.4f} norm {:.3f}", step_, loss.total, loss.dice,
                      loss.gradient_norm);
        log_step(loss);
        if (count_ % 20 == 0)
            spdlog::info("step {}/{} loss {:.4f} dice {:.4f} distance {:.4f} {:.2f} s/step", step_,
                         total_, sum_ / count_, dice_ / count_, distance_ / count_,
                         seconds_since(begun_) / static_cast<double>(count_));
    }

    void log_step(const StepLoss& loss) {
        std::ofstream out(file("steps.csv"), std::ios::app);
        if (out.tellp() == 0) out << "step,loss,dice,focal,distance,gradient_norm\n";
        out << fmt::format("{},{},{},{},{},{}\n", step_, loss.total, loss.dice, loss.focal,
                           loss.distance, loss.gradient_norm);
    }

    void end_epoch() {
        const int64_t epoch = step_ / patches_.steps_per_epoch();
        const Score s = score_separation(config_.separate,
                                         predict_all(*trainer_, set_.development, Colours::Own),
                                         config_.train.mpp);
        const bool best = s.pq > best_pq_;
        best_pq_ = std::max(best_pq_, s.pq);
        spdlog::info("epoch {}: loss {:.4f}; development Dice {:.4f} PQ {:.4f} AJI {:.4f}{}", epoch,
                     sum_ / std::max<double>(1, count_), s.dice, s.pq, s.aji,
                     best ? " (best)" : "");
        std::ofstream out(file("log.csv"), std::ios::app);
        if (out.tellp() == 0) out << "epoch,step,loss,dice,pq,aji\n";
        out << fmt::format("{},{},{:.6f},{:.5f},{:.5f},{:.5f}\n", epoch, step_,
                           sum_ / std::max<double>(1, count_), s.dice, s.pq, s.aji);
        const WeightsNotes notes{{"run.epoch", std::to_string(epoch)},
                                 {"run.development_pq", fmt::format("{:.5f}", s.pq)},
                                 {"run.development_dice", fmt::format("{:.5f}", s.dice)}};
        if (best) trainer_->save_weights(file("best.safetensors"), notes);
        sum_ = dice_ = distance_ = 0;
        count_ = 0;
        begun_ = Clock::now();
    }

    /// Gives the best weights the separation and the colours that suit them on the development
    /// images; whoever uses them gets these as defaults (model/model_settings.h).
    void settle() {
        if (!fs::exists(file("best.safetensors"))) return;  // no epoch found a single nucleus
        WeightsNotes notes = WeightsFile(file("best.safetensors")).metadata();
        if (notes.contains("separate.threshold")) return;
        trainer_->start_from(file("best.safetensors"));
        const auto own = predict_all(*trainer_, set_.development, Colours::Own);
        const TunedSeparation tuned = tune_separation(config_.separate, own, config_.train.mpp);
        const Score normalised = score_separation(
            tuned.settings, predict_all(*trainer_, set_.development, Colours::Normalised),
            config_.train.mpp);
        notes.merge(as_notes(tuned.settings));
        notes["stain.method"] = normalised.pq > tuned.score.pq ? "macenko" : "none";
        notes["run.tuned_development_pq"] = fmt::format("{:.5f}", tuned.score.pq);
        spdlog::info(
            "tuned: threshold {}, h {}, smoothing {} µm, least area {} µm²; development "
            "Dice {:.4f} PQ {:.4f} AJI {:.4f}; with normalised colours PQ {:.4f}",
            tuned.settings.threshold, tuned.settings.h, tuned.settings.smoothing_um,
            tuned.settings.min_area_um2, tuned.score.dice, tuned.score.pq, tuned.score.aji,
            normalised.pq);
        trainer_->save_weights(file("best.safetensors"), notes);
    }

    void checkpoint() {
        trainer_->save_checkpoint(file("checkpoint.safetensors"),
                                  {{"run.step", std::to_string(step_)},
                                   {"run.best_pq", fmt::format("{:.9g}", best_pq_)}});
        trainer_->save_weights(file("last.safetensors"), {{"run.step", std::to_string(step_)}});
        saved_ = Clock::now();
    }

    const TrainJob& job_;
    const Config& config_;
    const std::atomic<StopRequest>& stop_;
    const TrainingSet set_;
    const PatchSource patches_;
    const std::unique_ptr<Trainer> trainer_;
    int64_t total_ = 0, step_ = 0;
    double best_pq_ = 0, sum_ = 0, dice_ = 0, distance_ = 0;
    int count_ = 0;
    Clock::time_point begun_ = Clock::now(), saved_ = Clock::now();
};

}  // namespace

TrainReport run_training(const TrainJob& job, const Config& config,
                         const std::atomic<StopRequest>& stop) {
    return TrainingRun(job, config, stop).run();
}

}  // namespace wsi
