#include "pipeline/train_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include "config/config_io.h"
#include "io/weights_file.h"
#include "model/network_library.h"
#include "pipeline/train_log.h"
#include "pipeline/train_page.h"
#include "pipeline/train_progress.h"
#include "pipeline/train_schedule.h"
#include "pipeline/train_score.h"
#include "pipeline/training_set.h"
#include "pipeline/training_stream.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

template <class Number>
Number note(const WeightsNotes& notes, const char* key, Number otherwise) {
    const auto found = notes.find(key);
    if (found == notes.end()) return otherwise;
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), otherwise);
    return otherwise;
}

WeightsNotes as_notes(const SeparateConfig& s) {
    return {{"separate.threshold", fmt::format("{}", s.threshold)},
            {"separate.h", fmt::format("{}", s.h)},
            {"separate.smoothing_um", fmt::format("{}", s.smoothing_um)},
            {"separate.min_area_um2", fmt::format("{}", s.min_area_um2)}};
}

std::string settings_text(const Config& config) {
    std::string text;
    for (const auto& [key, value] : training_fields(config)) text += key + " = " + value + '\n';
    return text + fmt::format("run.seed = {}\n", config.run.seed);
}

class TrainingRun {
public:
    TrainingRun(const TrainJob& job, const Config& config, const std::atomic<StopRequest>& stop,
                const MakeTrainer& make_trainer)
        : job_(job),
          config_(config),
          stop_(stop),
          trainer_(make_trainer(config)),
          set_(read_training_set(job.folders, config)),
          together_(of_all(config, trainer_->processes())),
          patches_(set_.train, together_),
          page_(job.output, settings_text(config)),
          total_(config.train.epochs * patches_.steps_per_epoch()) {
        fs::create_directories(job.output);
        start();
        log_.emplace(writes() ? job.output : "", step_);
        spdlog::info("{} images to train on, {} to choose by, {} steps", set_.train.size(),
                     set_.development.size(), total_);
    }

    TrainReport run() {
        const int64_t per_epoch = patches_.steps_per_epoch();
        const int64_t last = job_.max_steps > 0 ? std::min(total_, job_.max_steps) : total_;
        const int64_t batch = config_.train.batch;
        TrainingStream stream({step_ * batch, std::max(step_, last) * batch, config_.train.batch,
                               config_.run.threads},
                              [this](int64_t sample) { return patches_.sample(shared(sample)); });
        TrainProgress progress(step_, total_);
        // A stop between an epoch's last step and its score leaves the score to the next run.
        if (step_ > 0 && scored_ < step_ / per_epoch) end_step();
        while (step_ < last && !trainer_->any(!going_on())) {
            one_step(stream.next());
            progress.step(step_, log_->steps().back().loss, stream.waited_s());
            end_step();
            if (progress.minutes_since_checkpoint() > config_.train.checkpoint_minutes) {
                checkpoint();
                progress.checkpoint_made();
            }
        }
        checkpoint();
        if (writes() && finished()) settle();
        // The first process knows the scores, and so whether this is the end.
        return {!trainer_->any(writes() && !finished()), step_, best_.score()};
    }

private:
    static Config of_all(Config config, int processes) {
        config.train.batch *= processes;
        return config;
    }
    /// Number among the samples of all processes: each takes its part of every batch.
    int64_t shared(int64_t sample) const {
        const int64_t batch = config_.train.batch, step = sample / batch;
        return step * together_.train.batch + trainer_->rank() * batch + sample % batch;
    }
    bool writes() const { return trainer_->rank() == 0; }
    std::string file(const char* name) const { return (fs::path(job_.output) / name).string(); }
    bool hopeless() const { return best_.hopeless(scored_, config_.train.patience); }
    bool finished() const { return step_ == total_ || hopeless(); }
    bool going_on() const { return stop_ == StopRequest::None && !hopeless(); }

    void start() {
        if (fs::exists(file("checkpoint.safetensors"))) {
            const WeightsNotes notes = trainer_->load_checkpoint(file("checkpoint.safetensors"));
            step_ = note<int64_t>(notes, "run.step", 0);
            const int64_t epoch = step_ / patches_.steps_per_epoch();
            scored_ = note<int64_t>(notes, "run.scored_epoch", epoch);
            best_ = BestEpoch(
                note<double>(notes, "run.best_score", note<double>(notes, "run.best_pq", 0)),
                note<int64_t>(notes, "run.best_epoch", epoch));
            spdlog::info("going on from step {} of {}", step_, total_);
        } else if (!job_.from.empty()) {
            trainer_->start_from(job_.from);
        }
    }

    void one_step(const std::vector<TrainingPatch>& batch) {
        const double rate = learning_rate(config_.train, step_, total_);
        const StepLoss loss = trainer_->step(batch, rate);
        if (!std::isfinite(loss.total) || !std::isfinite(loss.gradient_norm)) stop_not_finite(loss);
        ++step_;
        log_->add(StepRow{step_, loss, rate});
        spdlog::debug("step {} loss {:.6f} dice {:.4f} norm {:.3f}", step_, loss.total, loss.dice,
                      loss.gradient_norm);
    }

    /// The averaged weights have not seen the step that failed; a checkpoint's running means may
    /// have.
    [[noreturn]] void stop_not_finite(const StepLoss& loss) {
        const bool kept = step_ > 0 && try_to_save_last();
        fail(ErrorKind::Device, "the ", std::isfinite(loss.total) ? "gradient" : "loss",
             " is not finite at step ", step_ + 1, " (epoch ",
             step_ / patches_.steps_per_epoch() + 1, "); ",
             kept ? "the last good weights are in " + file("last.safetensors")
                  : "what was saved before is in " + job_.output,
             ". Lower train.learning_rate or set train.precision=fp32, and start in another folder",
             kept ? " with --from those weights" : "");
    }

    /// False when they are no good either, or the disk is full.
    bool try_to_save_last() {
        try {
            save_last();
            return true;
        } catch (const Error&) {
            return false;
        }
    }
    void save_last() {
        trainer_->save_weights(file("last.safetensors"), {{"run.step", std::to_string(step_)}});
    }

    /// The samples on the page: the first and the middle one of the development images.
    void keep_samples(int64_t epoch, const std::vector<PredictedImage>& predicted) const {
        for (int sample = 0; sample < TrainPage::kSamples; ++sample) {
            const size_t image =
                predicted.size() * static_cast<size_t>(sample) / TrainPage::kSamples;
            page_.add_sample(epoch, sample, set_.development[image].rgb, *predicted[image].truth,
                             separated(config_.separate, predicted[image], config_.train.mpp));
        }
    }

    void end_step() {
        const int64_t per_epoch = patches_.steps_per_epoch(), epoch = step_ / per_epoch;
        const bool due = epoch % config_.train.score_every == 0 || step_ == total_;
        // The first process scores; any() tells when it has had enough.
        if (writes() && step_ % per_epoch == 0 && due) score(epoch);
    }

    void score(int64_t epoch) {
        const auto predicted =
            predict_development(*trainer_, set_.development, Colours::Own, stop_);
        if (!predicted) return;
        const Score s = score_separation(config_.separate, *predicted, config_.train.mpp);
        keep_samples(epoch, *predicted);
        const int64_t since = scored_ * patches_.steps_per_epoch();
        scored_ = epoch;
        const EpochRow row{epoch, step_, log_->mean_loss(since, step_), s.dice, s.pq, s.aji};
        const bool best = best_.offer(chosen_by(config_.train.choose_by, s), epoch);
        spdlog::info("epoch {}: loss {:.4f}; development Dice {:.4f} PQ {:.4f} AJI {:.4f}{}", epoch,
                     row.loss, row.dice, row.pq, row.aji, best ? " (best)" : "");
        log_->add(row);
        if (best)
            trainer_->save_weights(file("best.safetensors"),
                                   {{"run.epoch", std::to_string(epoch)},
                                    {"run.development_pq", fmt::format("{:.5f}", s.pq)},
                                    {"run.development_dice", fmt::format("{:.5f}", s.dice)}});
        page_.write(*log_, best_.epoch());
        if (hopeless())
            spdlog::info("no better score for {} epochs: stopped early", config_.train.patience);
    }

    /// Gives the best weights the separation and the colours that suit them on the development
    /// images; whoever uses them gets these as defaults (model/model_settings.h).
    void settle() {
        if (!fs::exists(file("best.safetensors"))) return;  // no epoch found a single nucleus
        WeightsNotes notes = WeightsFile(file("best.safetensors")).metadata();
        if (notes.contains("separate.threshold")) return;
        trainer_->start_from(file("best.safetensors"));
        const auto own = predict_development(*trainer_, set_.development, Colours::Own, stop_);
        const auto normalised =
            predict_development(*trainer_, set_.development, Colours::Normalised, stop_);
        if (!own || !normalised) return;  // the same command goes on here
        const TunedSeparation tuned = tune_separation(config_.separate, *own, config_.train.mpp);
        const Score other = score_separation(tuned.settings, *normalised, config_.train.mpp);
        notes.merge(as_notes(tuned.settings));
        notes["stain.method"] = other.pq > tuned.score.pq ? "macenko" : "none";
        notes["run.tuned_development_pq"] = fmt::format("{:.5f}", tuned.score.pq);
        spdlog::info(
            "tuned: threshold {}, h {}, smoothing {} µm, least area {} µm²; development "
            "Dice {:.4f} PQ {:.4f} AJI {:.4f}; with normalised colours PQ {:.4f}",
            tuned.settings.threshold, tuned.settings.h, tuned.settings.smoothing_um,
            tuned.settings.min_area_um2, tuned.score.dice, tuned.score.pq, tuned.score.aji,
            other.pq);
        trainer_->save_weights(file("best.safetensors"), notes);
    }

    void checkpoint() {
        trainer_->save_checkpoint(file("checkpoint.safetensors"),
                                  {{"run.step", std::to_string(step_)},
                                   {"run.scored_epoch", std::to_string(scored_)},
                                   {"run.best_epoch", std::to_string(best_.epoch())},
                                   {"run.best_score", fmt::format("{:.9g}", best_.score())}});
        save_last();
    }

    const TrainJob& job_;
    const Config& config_;
    const std::atomic<StopRequest>& stop_;
    const std::unique_ptr<Trainer> trainer_;
    const TrainingSet set_;
    const Config together_;  ///< its batch is that of all processes
    const PatchSource patches_;
    const TrainPage page_;
    const int64_t total_;
    std::optional<TrainLog> log_;
    int64_t step_ = 0, scored_ = 0;
    BestEpoch best_;
};

}  // namespace

std::unique_ptr<Trainer> library_trainer(const Config& config) {
    return network_library().make_trainer(config);
}

TrainReport run_training(const TrainJob& job, const Config& config,
                         const std::atomic<StopRequest>& stop, const MakeTrainer& make_trainer) {
    return TrainingRun(job, config, stop, make_trainer).run();
}

}  // namespace wsi
