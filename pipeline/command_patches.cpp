#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>

#include "io/datasets/patch_file.h"
#include "io/datasets/resolution.h"
#include "io/types/suffix.h"
#include "pipeline/evaluate.h"
#include "pipeline/image_progress.h"
#include "pipeline/patch_cutter.h"
#include "pipeline/stop_signals.h"
#include "pipeline/unreadable_images.h"
#include "pipeline/unused_settings.h"

namespace wsi {

namespace {

/// The data sets' class names; those without classes do not count.
std::vector<std::string> common_classes(const std::vector<std::unique_ptr<Dataset>>& datasets) {
    std::vector<std::string> names;
    for (const auto& dataset : datasets) {
        if (dataset->class_names().empty()) continue;
        if (!names.empty() && names != dataset->class_names())
            fail(ErrorKind::Config, "the data sets have different classes; cut them one by one");
        names = dataset->class_names();
    }
    return names;
}

/// Patches of one image must not lie on both sides of a split.
void check_splits(const std::vector<std::unique_ptr<Dataset>>& datasets, const PatchesOptions& what,
                  uint64_t seed) {
    std::map<std::string, std::string> split_of_source;
    for (const auto& dataset : datasets)
        for (const ImageEntry& entry : dataset->entries()) {
            const std::string split = split_of(entry, what.val_fraction, seed);
            const auto [at, fresh] =
                split_of_source.try_emplace(entry.dataset + "/" + entry.source, split);
            if (!fresh && at->second != split)
                fail(ErrorKind::Config, entry.file, ": its source ", at->first, " is in ", split,
                     " here and in ", at->second,
                     " elsewhere; put all images of a source into one split, or a network is "
                     "tested on what it was trained on");
        }
}

bool wholly_vague(const LabelledImage& patch) {
    const uint8_t* const first = patch.vague.data();
    return std::all_of(first, first + patch.vague.size().area(), [](uint8_t v) { return v != 0; });
}

/// Cuts images and counts what came of them.
class Cutter {
public:
    Cutter(const PatchesOptions& what, const Config& config, double work_mpp,
           std::vector<std::string> class_names)
        : what_(what),
          config_(config),
          work_mpp_(work_mpp),
          file_(what.output, {work_mpp, what.patch_px, std::move(class_names)}) {}

    void add(LabelledImage image) {
        image.entry.split = split_of(image.entry, what_.val_fraction, config_.run.seed);
        image.entry.mpp = resolution(image);
        const LabelledImage work = at_resolution(image, work_mpp_);
        const int64_t stride = what_.stride_px > 0 ? what_.stride_px : what_.patch_px;
        for (const int64_t y : patch_starts(work.rgb.height(), what_.patch_px, stride))
            for (const int64_t x : patch_starts(work.rgb.width(), what_.patch_px, stride)) {
                LabelledImage patch = cut_patch(work, {x, y}, what_.patch_px);
                if (wholly_vague(patch)) continue;  // nothing to learn from
                patch.entry.name += "-" + std::to_string(y) + "-" + std::to_string(x);
                file_.append(patch, {x, y}, image.entry.mpp);
                ++counts_[image.entry.split];
            }
    }
    void finish() {
        file_.finish();
        for (const auto& [split, count] : counts_) spdlog::info("{}: {} patches", split, count);
        if (guessed_ > 0)
            spdlog::warn(
                "{} images state no resolution: it was guessed from their nuclei, taken as {} µm "
                "across (column source_mpp); --slide-mpp states it",
                guessed_, kTypicalDiameterUm);
    }

private:
    double resolution(const LabelledImage& image) {
        if (config_.slide.mpp > 0 || image.entry.mpp > 0)
            return evaluation_mpp(image.entry, config_.slide);
        ++guessed_;
        const double guess = guess_mpp(image.labels, kTypicalDiameterUm);
        return guess > 0 ? guess : evaluation_mpp(image.entry, config_.slide);
    }

    const PatchesOptions& what_;
    const Config& config_;
    const double work_mpp_;
    PatchFileWriter file_;
    std::map<std::string, int> counts_;
    int guessed_ = 0;
};

}  // namespace

int patches_command(const PatchesOptions& what, const CommonOptions& options) {
    refuse_training_settings(options);
    const Config config = effective_config(options);
    if (lower_suffix(what.output) != ".h5")
        fail(ErrorKind::Config, "-o ", what.output, ": expected a name that ends in .h5");
    std::vector<std::unique_ptr<Dataset>> datasets;
    size_t total = 0;
    for (const std::string& source : what.sources) {
        datasets.push_back(open_dataset(source));
        total += datasets.back()->entries().size();
    }
    const double work_mpp = config.model.work_mpp > 0
                                ? config.model.work_mpp
                                : make_segmenter(config.model)->input_spec().mpp.value;
    check_splits(datasets, what, config.run.seed);
    Cutter cutter(what, config, work_mpp, common_classes(datasets));
    UnreadableImages unreadable(total);
    const auto read = [&unreadable](const Dataset& dataset,
                                    size_t i) -> std::optional<LabelledImage> {
        try {
            return dataset.read(i);
        } catch (const Error& error) {
            unreadable.add(error);
            return std::nullopt;
        }
    };
    std::atomic<StopRequest>& stop = install_stop_signals();
    {
        ImageProgress progress("patches", total, options.quiet != 0);
        for (const auto& dataset : datasets)
            for (size_t i = 0; i < dataset->entries().size(); ++i) {
                if (stop != StopRequest::None)
                    fail(ErrorKind::Cancelled, "interrupted; nothing was written");
                if (auto image = read(*dataset, i)) cutter.add(std::move(*image));
                progress.done(dataset->entries()[i].name);
            }
    }
    unreadable.report();
    cutter.finish();
    return 0;
}

}  // namespace wsi
