#include <spdlog/spdlog.h>

#include <filesystem>

#include "io/picture.h"
#include "io/types/suffix.h"
#include "pipeline/evaluate.h"
#include "pipeline/evaluate_classes.h"
#include "pipeline/evaluate_overlays.h"
#include "pipeline/image_progress.h"
#include "pipeline/output_check.h"
#include "pipeline/runtime.h"
#include "pipeline/stop_signals.h"
#include "pipeline/unused_settings.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

/// An image of one of the data sets.
struct Chosen {
    const Dataset* dataset;
    size_t index;
    const ImageEntry& entry() const { return dataset->entries()[index]; }
};

/// Nothing is where annotators could not tell.
void clear_vague(const GrayImage& vague, Image<uint32_t>& labels, GrayImage& classes) {
    for (int64_t i = 0; i < vague.size().area(); ++i) {
        if (vague.data()[i] == 0) continue;
        labels.data()[i] = 0;
        if (!classes.empty()) classes.data()[i] = 0;
    }
}

class Evaluation {
public:
    Evaluation(const EvaluateOptions& what, const CommonOptions& options)
        : what_(what), options_(options), config_(labels_only(effective_config(options))) {
        const auto compat = parse_compat(what.compat);
        WSI_CHECK(compat.has_value(), what.compat);
        compat_ = *compat;
    }

    int run() {
        const std::string report = report_file();
        check_outputs({report});
        choose();
        const Runtime runtime(config_.run.threads);
        RunStatus status;
        status.stop = &install_stop_signals();
        make_predictors(status);
        {
            ImageProgress progress("evaluate", images_.size(), options_.quiet != 0);
            for (const Chosen& image : images_) {
                if (status.stopping())
                    fail(ErrorKind::Cancelled, "interrupted; nothing was written");
                score(image);
                progress.done(image.entry().name);
            }
        }
        write_reports(report);
        if (report != what_.output) draw_overlays();
        return finish();
    }

private:
    /// Nobody looks at what is measured on nuclei: with it a run takes several times as long.
    static Config labels_only(Config config) {
        config.features.brief = true;
        return config;
    }

    /// `-o report.csv` as it is; in a folder, which also gets pictures, report.csv.
    std::string report_file() const {
        if (lower_suffix(what_.output) == ".csv") return what_.output;
        if (const fs::path path(what_.output); path.has_extension() && !fs::is_directory(path))
            fail(ErrorKind::Config, "-o ", what_.output,
                 ": expected a folder, or a name that ends in .csv");
        std::error_code error;
        fs::create_directories(what_.output, error);
        if (error) fail(ErrorKind::Output, "cannot create ", what_.output, ": ", error.message());
        return (fs::path(what_.output) / "report.csv").string();
    }

    void write_reports(const std::string& report) const {
        write_evaluation(report, scores_, compat_, config_.run.seed, class_tables(*class_scores_));
        if (class_scores_->empty()) return;
        write_class_scores(fs::path(report).replace_extension(".classes.csv").string(),
                           *class_scores_);
    }

    /// Predicts the few images again: their labels are the same, and nothing had to be kept.
    void draw_overlays() {
        for (const auto& predictor : predictors_)
            for (const RankedImage& ranked : images_to_show(scores_, predictor->name())) {
                const Chosen& chosen = images_[ranked.index];
                const LabelledImage image = read(chosen);
                write_overlay(what_.output, ranked, predictor->name(), image,
                              predict(*predictor, image).labels);
            }
    }

    void choose() {
        for (const std::string& folder : what_.data) {
            datasets_.push_back(open_dataset(folder));
            const auto& entries = datasets_.back()->entries();
            for (size_t i = 0; i < entries.size(); ++i)
                if (what_.split.empty() || entries[i].split == what_.split)
                    images_.push_back({datasets_.back().get(), i});
        }
        if (images_.empty())
            fail(ErrorKind::Config, "no image is in split '", what_.split,
                 "'; splits come from manifest.csv (columns stem, split) in the data folder");
        const auto every = static_cast<size_t>(what_.every);
        for (size_t i = 0; i * every < images_.size(); ++i) images_[i] = images_[i * every];
        images_.resize((images_.size() + every - 1) / every);
        size_t assumed = 0;
        for (const Chosen& image : images_)
            assumed += image.entry().mpp <= 0 && config_.slide.mpp <= 0;
        if (assumed > 0)
            spdlog::warn(
                "{} of {} images have no resolution: 0.25 µm per pixel is assumed; state it with "
                "--slide-mpp or a column mpp in manifest.csv",
                assumed, images_.size());
    }

    /// Empty when the data sets disagree: then classes go by their numbers.
    std::vector<std::string> class_names_of_all() const {
        std::vector<std::string> names = datasets_.front()->class_names();
        for (const auto& dataset : datasets_)
            if (dataset->class_names() != names) return {};
        return names;
    }

    void make_predictors(RunStatus& status) {
        std::vector<ImageEntry> entries;
        std::vector<size_t> places;
        for (const Chosen& image : images_) {
            entries.push_back(image.entry());
            places.push_back(image.index);
        }
        const std::vector<std::string> class_names = class_names_of_all();
        class_scores_.emplace(class_names, compat_);
        predictors_.push_back(what_.predictions.empty()
                                  ? predict_by_slide_run(config_, segmenter_for(config_, options_),
                                                         status, class_names)
                                  : predict_from_files(what_.predictions, entries, places));
        if (what_.oracle)
            for (const OracleMaps maps :
                 {OracleMaps::Distance, OracleMaps::Offsets, OracleMaps::MaskAlone})
                predictors_.push_back(predict_by_oracle(config_, maps));
        if (!what_.save_labels.empty()) {
            std::error_code ignored;  // writing the first picture says what is wrong
            fs::create_directories(what_.save_labels, ignored);
        }
    }

    /// Labels of one image; none when it could not be segmented, which costs the score of a miss.
    PredictedNuclei predict(Predictor& predictor, const LabelledImage& image) {
        try {
            PredictedNuclei found = predictor(image);
            if (masks(image)) clear_vague(image.vague, found.labels, found.classes);
            return found;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Slide) throw;
            spdlog::warn("{}: counted as without nuclei: {}", image.entry.name, error.what());
            ++failed_;
            return {Image<uint32_t>(image.rgb.width(), image.rgb.height(), 0), {}};
        }
    }

    bool masks(const LabelledImage& image) const {
        return what_.keep_vague == 0 && !image.vague.empty();
    }

    LabelledImage read(const Chosen& chosen) const {
        LabelledImage image = chosen.dataset->read(chosen.index);
        if (masks(image)) clear_vague(image.vague, image.labels, image.classes);
        return image;
    }

    void score(const Chosen& chosen) {
        const LabelledImage image = read(chosen);
        const double radius_px = kDetectionRadiusUm / evaluation_mpp(image.entry, config_.slide);
        for (const auto& predictor : predictors_) {
            const auto [found, classes] = predict(*predictor, image);
            if (!what_.save_labels.empty() && predictor == predictors_.front())
                write_label_picture(
                    (fs::path(what_.save_labels) / (image.entry.name + ".png")).string(),
                    found.view());
            const MetricCounts counts =
                count_metrics(contingency(image.labels.view(), found.view()), compat_, radius_px);
            scores_.push_back({predictor->name(), image.entry, counts, metrics(counts, compat_)});
            if (!image.classes.empty() && !classes.empty())
                class_scores_->add(predictor->name(), image.labels, image.classes, found, classes,
                                   radius_px);
        }
    }

    int finish() const {
        for (const auto& predictor : predictors_) {
            double dice = 0, pq = 0, aji = 0;
            for (const ImageScore& s : scores_) {
                if (s.predictor != predictor->name()) continue;
                dice += s.values.dice_fg, pq += s.values.pq, aji += s.values.aji;
            }
            const auto n = static_cast<double>(images_.size());
            spdlog::info("{}: {} images, Dice {:.3f}, PQ {:.3f}, AJI {:.3f}", predictor->name(),
                         images_.size(), dice / n, pq / n, aji / n);
        }
        for (const auto& [predictor, classes] : class_scores_->scores())
            spdlog::info("{}: {} classes, mPQ+ {:.3f}, R2 {:.3f}", predictor, classes.size(),
                         class_mean(classes, &ClassScore::pq),
                         class_mean(classes, &ClassScore::r2));
        if (failed_ == 0) return 0;
        spdlog::warn("{} images could not be segmented and count as without nuclei", failed_);
        return 2;
    }

    const EvaluateOptions& what_;
    const CommonOptions& options_;
    const Config config_;
    Compat compat_ = Compat::Ours;
    std::vector<std::unique_ptr<Dataset>> datasets_;
    std::vector<Chosen> images_;
    std::vector<std::unique_ptr<Predictor>> predictors_;
    std::vector<ImageScore> scores_;
    std::optional<ClassScores> class_scores_;
    size_t failed_ = 0;
};

}  // namespace

int evaluate_command(const EvaluateOptions& what, const CommonOptions& options) {
    refuse_training_settings(options);
    return Evaluation(what, options).run();
}

}  // namespace wsi
