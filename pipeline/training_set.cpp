#include "pipeline/training_set.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "config/config_io.h"
#include "io/datasets/resolution.h"
#include "pipeline/unreadable_images.h"
#include "stages/class_ids.h"
#include "stages/class_metrics.h"

namespace wsi {

namespace {

/// How much smaller than at their stated resolution half of the development images are shown.
/// NuInsSeg says 0.25 µm, but its nuclei (median 8.3 µm) are then far wider than those of CoNSeP
/// (4.1 µm) and MoNuSeg (4.9 µm).
constexpr double kSmaller = 0.6;

/// The class that most pixels of each nucleus have, 0 where none is given.
std::map<uint32_t, uint32_t> classes_of_nuclei(const LabelledImage& image) {
    std::map<uint32_t, uint32_t> classes;
    for (const auto& [id, pixels] : pixels_by_class(image.labels, image.classes))
        classes[id] = static_cast<uint32_t>(std::ranges::max_element(pixels) - pixels.begin());
    return classes;
}

/// Puts nuclei's classes into their ids (class_ids.h), by name: those that network.classes names,
/// in its order. Whether any nucleus has one.
bool put_classes(LabelledImage& image, const std::vector<std::string>& known,
                 const std::vector<std::string>& wanted) {
    if (image.classes.empty()) return false;
    bool any = false;
    auto classes = classes_of_nuclei(image);
    for (auto& [id, c] : classes) {
        const auto at =
            c > 0 && c <= known.size() ? std::ranges::find(wanted, known[c - 1]) : wanted.end();
        c = at == wanted.end() ? 0 : static_cast<uint32_t>(at - wanted.begin()) + 1;
        any |= c > 0;
    }
    for (int64_t i = 0; i < image.labels.size().area(); ++i)
        if (uint32_t& id = image.labels.data()[i]; id != 0) id = id_with_class(id, classes[id]);
    return any;
}

TrainingImage prepare(LabelledImage image, const Config& config, double scale) {
    if (image.entry.mpp <= 0) image.entry.mpp = guess_mpp(image.labels, kTypicalDiameterUm);
    image.entry.mpp *= scale;
    image = at_resolution(image, config.train.mpp);
    TrainingImage out{
        image.entry.name, image.entry.organ, std::move(image.rgb), {}, std::move(image.labels), {}};
    const std::span pixels(out.rgb.data(), static_cast<size_t>(3 * out.rgb.size().area()));
    const StainFit fit = fit_stain(pixels, config.stain);
    out.stains = fit.matrix;
    if (fit.fitted) {
        out.normalised = RgbImage(out.rgb.width(), out.rgb.height());
        StainNormaliser(fit, config.stain.stains)(out.rgb.view(), out.normalised.view());
    }
    return out;
}

/// Crowded images are shown more often: they hold most of what must be told apart.
double weight_of(const LabelImage& ids) {
    constexpr double kEmpty = 8;
    const std::set<uint32_t> seen(ids.data(), ids.data() + ids.size().area());
    return std::sqrt(kEmpty + static_cast<double>(seen.size()));
}

/// Fisher and Yates; std::shuffle may differ between standard libraries.
template <class T>
void shuffle(std::vector<T>& values, Random& random) {
    for (size_t i = values.size(); i-- > 1;)
        std::swap(values[i],
                  values[static_cast<size_t>(random.index(static_cast<int64_t>(i) + 1))]);
}

/// An image of one of the data sets.
struct Chosen {
    const Dataset* dataset;
    size_t index;
    const ImageEntry& entry() const { return dataset->entries()[index]; }
};

[[noreturn]] void refuse_classes(const std::vector<Chosen>& images, const Config& config) {
    std::set<std::string> known;
    for (const Chosen& image : images)
        known.insert(image.dataset->class_names().begin(), image.dataset->class_names().end());
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ";") + name;
    fail(ErrorKind::Config, "network.classes = '", config.network.classes,
         "': no nucleus of the images is of one of these classes; theirs are ",
         list.empty() ? "not given" : list);
}

/// Whether each image is one of the fold that is kept out.
std::vector<bool> in_fold(const std::vector<Chosen>& images, const TrainConfig& config) {
    constexpr uint64_t kFoldSeed = 19;  // not run.seed: seeds are compared on the same folds
    const auto source_of = [](const ImageEntry& e) {
        return e.dataset + '/' + (e.source.empty() ? e.name : e.source);
    };
    std::set<std::string> names;
    for (const Chosen& image : images) names.insert(source_of(image.entry()));
    std::vector<std::string> sources(names.begin(), names.end());
    Random random(kFoldSeed);
    shuffle(sources, random);
    std::set<std::string> kept_out;
    for (auto i = static_cast<size_t>(config.fold); i < sources.size();
         i += static_cast<size_t>(config.folds))
        kept_out.insert(sources[i]);
    std::vector<bool> out;
    for (const Chosen& image : images) out.push_back(kept_out.contains(source_of(image.entry())));
    return out;
}

std::vector<std::string> names_in(const std::string& list) {
    std::vector<std::string> names;
    std::stringstream in(list);
    for (std::string name; std::getline(in, name, ';');) names.push_back(name);
    return names;
}

/// Whether each image is of an organ that is kept out.
std::vector<bool> of_organs(const std::vector<Chosen>& images, const TrainConfig& config) {
    const std::vector<std::string> development = names_in(config.development);
    std::vector<bool> out;
    for (const Chosen& image : images)
        out.push_back(std::ranges::find(development, image.entry().organ) != development.end());
    return out;
}

}  // namespace

TrainingSet read_training_set(const std::vector<std::string>& folders, const Config& config) {
    std::vector<std::unique_ptr<Dataset>> datasets;
    std::vector<Chosen> chosen;
    for (const std::string& folder : folders) {
        datasets.push_back(open_dataset(folder));
        const auto& entries = datasets.back()->entries();
        for (size_t i = 0; i < entries.size(); ++i)
            if (entries[i].split.empty() || entries[i].split == "train")
                chosen.push_back({datasets.back().get(), i});
    }
    const std::vector<bool> kept_out =
        config.train.folds > 0 ? in_fold(chosen, config.train) : of_organs(chosen, config.train);
    TrainingSet set;
    const std::vector<std::string> classes = class_names(config.network);
    bool any_class = classes.empty();
    UnreadableImages unreadable(chosen.size());
    for (size_t i = 0; i < chosen.size(); ++i) try {
            // A fold is judged, not only chosen by: it stays as it is.
            const bool smaller =
                config.train.folds == 0 && kept_out[i] && set.development.size() % 2 == 1;
            LabelledImage image = chosen[i].dataset->read(chosen[i].index);
            if (!classes.empty() && !kept_out[i])  // scores look at no class
                any_class |= put_classes(image, chosen[i].dataset->class_names(), classes);
            (kept_out[i] ? set.development : set.train)
                .push_back(prepare(std::move(image), config, smaller ? kSmaller : 1));
        } catch (const Error& error) {
            unreadable.add(error);
        }
    unreadable.report();
    if (!any_class) refuse_classes(chosen, config);
    if (set.train.empty()) fail(ErrorKind::Config, "no image to train on in the folders given");
    if (set.development.empty())
        fail(ErrorKind::Config, "no image of the organs in train.development = '",
             config.train.development, "'; name organs of the manifest, by ;, or set train.folds");
    return set;
}

RgbImage as_scanned(const RgbImage& rgb) {
    constexpr double kGain = 1.55;
    RgbImage bright = rgb;
    for (int64_t i = 0; i < 3 * bright.size().area(); ++i)
        bright.data()[i] = static_cast<uint8_t>(std::min(255.0, kGain * bright.data()[i]));
    return bright;
}

int64_t PatchSource::steps_per_epoch() const {
    const auto images = static_cast<int64_t>(images_.size());
    return std::max<int64_t>(1, images / config_.train.batch);
}

TrainingPatch PatchSource::patch(int64_t epoch, int64_t index, size_t image) const {
    const TrainingImage& from = images_[image];
    const uint64_t seed = splitmix(config_.run.seed ^ splitmix(static_cast<uint64_t>(epoch)) ^
                                   splitmix(static_cast<uint64_t>(index) << 20));
    Random random(seed);
    const bool normalised =
        !from.normalised.empty() && random.chance(config_.train.normalised_share);
    return augment(normalised ? from.normalised : from.rgb, from.ids, config_.train.patch_px,
                   normalised ? kReferenceHe : from.stains, config_.augment, random.next());
}

PatchSource::PatchSource(const std::vector<TrainingImage>& images, const Config& config)
    : images_(images), config_(config) {
    double sum = 0;
    for (const TrainingImage& image : images) weights_.push_back(sum += weight_of(image.ids));
}

std::vector<size_t> PatchSource::order(int64_t epoch) const {
    Random random(config_.run.seed + splitmix(static_cast<uint64_t>(epoch) + 1));
    const auto n = static_cast<double>(images_.size());
    const double first = random.uniform();
    // Systematic sampling: an image comes as often as its share of the weights says, up or down to
    // the next whole number.
    std::vector<size_t> order;
    for (size_t k = 0; k < images_.size(); ++k) {
        const double at = (static_cast<double>(k) + first) / n * weights_.back();
        const auto found = std::ranges::upper_bound(weights_, at);
        order.push_back(
            std::min(images_.size() - 1, static_cast<size_t>(found - weights_.begin())));
    }
    shuffle(order, random);
    return order;
}

PatchSource::Order PatchSource::order_of(int64_t epoch) const {
    const std::lock_guard lock(mutex_);
    Order& kept = orders_[epoch];
    if (!kept) kept = std::make_shared<const std::vector<size_t>>(order(epoch));
    Order wanted = kept;
    if (orders_.size() > 2) orders_.erase(orders_.begin());  // samples are asked for in order
    return wanted;
}

TrainingPatch PatchSource::sample(int64_t number) const {
    const int64_t per_epoch = steps_per_epoch() * config_.train.batch;
    const int64_t epoch = number / per_epoch, index = number % per_epoch;
    const Order images = order_of(epoch);
    return patch(epoch, index, (*images)[static_cast<size_t>(index) % images->size()]);
}

std::vector<TrainingPatch> PatchSource::batch(int64_t epoch, int64_t step) const {
    const int64_t first = (epoch * steps_per_epoch() + step) * config_.train.batch;
    std::vector<TrainingPatch> patches;
    for (int64_t k = 0; k < config_.train.batch; ++k) patches.push_back(sample(first + k));
    return patches;
}

}  // namespace wsi
