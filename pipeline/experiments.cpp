#include "pipeline/experiments.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config_io.h"
#include "io/csv_table.h"
#include "io/picture.h"
#include "io/text_file.h"
#include "pipeline/evaluate_overlays.h"
#include "pipeline/train_score.h"
#include "pipeline/training_set.h"
#include "stages/metrics.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

std::string settings_text(const Config& config) {
    std::string text;
    for (const auto& [key, value] : training_fields(config)) text += key + " = " + value + '\n';
    for (const auto& [key, value] : result_fields(config)) text += key + " = " + value + '\n';
    return text;
}

std::string whole_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A name that is a folder on every system.
std::string folder_name(const std::string& name) {
    std::string out;
    for (const char c : name)
        out += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '+' ? c : '_';
    return out;
}

LabelImage found_by(Trainer& trainer, const TrainingImage& image, const Config& config) {
    const bool normalised = config.train.normalised_share > 0.5 && !image.normalised.empty();
    PredictedImage predicted;
    trainer.predict(normalised ? image.normalised : image.rgb, predicted.probability,
                    predicted.distance);
    predicted.truth = &image.ids;
    return separated(config.separate, predicted, config.train.mpp);
}

/// encodings.csv of a run: image, organ, values.
void write_encodings(const fs::path& path, Trainer& trainer, const TrainingSet& set) {
    TextFile out(path.string());
    out.write("image,organ,values\n");
    for (const TrainingImage& image : set.development) {
        const std::vector<float> values = trainer.encoding(image.rgb);
        if (values.empty()) continue;
        std::string line = '"' + image.name + "\",\"" + image.organ + "\",";
        for (const float v : values) line += fmt::format("{:.6g} ", v);
        out.write(line + '\n');
    }
    out.commit();
}

std::vector<ImageEncoding> read_encodings(const fs::path& path) {
    std::vector<ImageEncoding> all;
    const CsvTable table(path.string());
    for (size_t row = 0; row < table.rows(); ++row) {
        ImageEncoding e{table.text(row, "image"), table.text(row, "organ"), {}};
        std::istringstream in(table.text(row, "values"));
        for (float v = 0; in >> v;) e.values.push_back(v);
        all.push_back(std::move(e));
    }
    return all;
}

/// Overlays of the images with the best, the median and the worst PQ, in the run's folder.
void write_overlays(const fs::path& folder, Trainer& trainer, const TrainingSet& set,
                    const Config& config, const std::map<std::string, ImageScores>& scores) {
    if (!can_read_and_write_pictures()) return;
    std::vector<ImageScore> ranked;
    for (const TrainingImage& image : set.development) {
        ImageScore score;
        score.values.pq = scores.at(image.name).at("pq");
        score.counts.truth = 1;
        ranked.push_back(score);
    }
    for (const RankedImage& shown : images_to_show(ranked, "")) {
        const TrainingImage& image = set.development[shown.index];
        LabelledImage labelled;
        labelled.rgb = image.rgb;
        labelled.labels = image.ids;
        write_overlay(folder.string(), shown, "overlay", labelled,
                      found_by(trainer, image, config));
    }
}

/// Scores of the weights in a run's checkpoint on the images of its fold. Those of the last epoch,
/// not of the best: the fold must not choose what it judges.
std::map<std::string, ImageScores> score_fold(Trainer& trainer, const TrainingSet& set,
                                              const Config& config) {
    std::map<std::string, ImageScores> scores;
    for (const TrainingImage& image : set.development) {
        const LabelImage found = found_by(trainer, image, config);
        const Metrics m = metrics(
            count_metrics(contingency(image.ids.view(), found.view()), Compat::Ours), Compat::Ours);
        for (const MetricColumn& column : kMetricColumns)
            scores[image.name][std::string(column.name)] = m.*column.value;
    }
    return scores;
}

void write_scores(const fs::path& path, const std::map<std::string, ImageScores>& scores) {
    TextFile out(path.string());
    std::string line = "image";
    for (const MetricColumn& column : kMetricColumns) line += "," + std::string(column.name);
    out.write(line + "\n");
    for (const auto& [image, values] : scores) {
        line = image;
        for (const MetricColumn& column : kMetricColumns) {
            const double value = values.at(std::string(column.name));
            line += std::isnan(value) ? "," : fmt::format(",{:.6f}", value);
        }
        out.write(line + "\n");
    }
    out.commit();
}

std::map<std::string, ImageScores> read_scores(const fs::path& path) {
    const CsvTable table(path.string());
    std::map<std::string, ImageScores> scores;
    for (size_t row = 0; row < table.rows(); ++row)
        for (const MetricColumn& column : kMetricColumns)
            scores[table.text(row, "image")][std::string(column.name)] =
                table.number(row, std::string(column.name), std::nan(""));
    return scores;
}

class Experiments {
public:
    Experiments(const ExperimentJob& job, const Config& base, const std::atomic<StopRequest>& stop,
                MakeTrainer make_trainer)
        : job_(job), stop_(stop), make_trainer_(std::move(make_trainer)) {
        for (const ExperimentRow& row : job.table.rows) {
            configs_.push_back(row_config(job.table, row, job.command_line, base));
            results_.push_back({row.name, "", 0, {}, {}});
        }
        fs::create_directories(job.output);
        for (size_t row = 0; row < configs_.size(); ++row) try_to_make(row);
    }

    bool run() {
        write_experiment_table(job_, results_);
        // Rows innermost, so that an unfinished table compares like with like.
        for (int seed = 0; seed < job_.table.seeds; ++seed)
            for (int fold = 0; fold < most_folds(); ++fold)
                for (size_t row = 0; row < configs_.size(); ++row) {
                    if (!results_[row].problem.empty() || fold >= folds_of(configs_[row])) continue;
                    if (!one_run(row, seed, fold)) return false;
                    write_experiment_table(job_, results_);
                    write_experiment_figures(job_, results_);
                }
        return true;
    }

private:
    static int folds_of(const Config& config) { return std::max(1, config.train.folds); }
    int most_folds() const {
        int most = 1;
        for (const Config& config : configs_) most = std::max(most, folds_of(config));
        return most;
    }

    void try_to_make(size_t row) {
        try {
            const std::unique_ptr<Trainer> trainer = make_trainer_(configs_[row]);
            results_[row].parameters = trainer->parameter_count();
            if (trainer->processes() > 1)
                fail(ErrorKind::Device,
                     "a table of experiments is run by one process; start `train` with torchrun or "
                     "srun, not this");
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Config && error.kind() != ErrorKind::Checkpoint) throw;
            results_[row].problem = error.what();
            spdlog::warn("{} is not run: {}", results_[row].name, error.what());
        }
    }

    bool one_run(size_t row, int seed, int fold) {
        Config config = configs_[row];
        config.run.seed += static_cast<uint64_t>(seed);
        config.train.fold = fold;
        const fs::path folder = fs::path(job_.output) / folder_name(results_[row].name) /
                                fmt::format("seed-{}-fold-{}", seed, fold);
        const fs::path scores = folder / "scores.csv", settings = folder / "settings.txt";
        if (fs::exists(settings) && whole_file(settings) != settings_text(config))
            fail(ErrorKind::Config, folder.string(),
                 " was run with other settings; give the same ones, or another --output");
        if (!fs::exists(scores)) {
            spdlog::info("{}, seed {}, fold {}", results_[row].name, seed, fold);
            fs::create_directories(folder);
            TextFile text(settings.string());
            text.write(settings_text(config));
            text.commit();
            TrainJob train;
            train.folders = job_.data;
            train.output = folder.string();
            if (!run_training(train, config, stop_, make_trainer_).finished) return false;
            judge(config, folder, scores);
        }
        results_[row].runs[{seed, fold}] = read_scores(scores);
        if (seed == 0 && fold == 0)
            results_[row].encodings = read_encodings(folder / "encodings.csv");
        return true;
    }

    /// Scores last: where they are, the rest is too.
    void judge(const Config& config, const fs::path& folder, const fs::path& scores_file) const {
        const std::unique_ptr<Trainer> trainer = make_trainer_(config);
        trainer->load_checkpoint((folder / "checkpoint.safetensors").string());
        const TrainingSet set = read_training_set(job_.data, config);
        const auto scores = score_fold(*trainer, set, config);
        write_encodings(folder / "encodings.csv", *trainer, set);
        write_overlays(folder, *trainer, set, config, scores);
        write_scores(scores_file, scores);
    }

    const ExperimentJob& job_;
    const std::atomic<StopRequest>& stop_;
    const MakeTrainer make_trainer_;
    std::vector<Config> configs_;
    std::vector<ExperimentResult> results_;
};

}  // namespace

bool run_experiments(const ExperimentJob& job, const Config& base,
                     const std::atomic<StopRequest>& stop, MakeTrainer make_trainer) {
    return Experiments(job, base, stop, std::move(make_trainer)).run();
}

}  // namespace wsi
