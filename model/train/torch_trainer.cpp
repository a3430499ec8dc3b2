#include "model/train/torch_trainer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "config/config_io.h"
#include "model/nn/network_runner.h"
#include "model/nn/tensors.h"
#include "model/nn/translated.h"
#include "model/train/losses.h"
#include "stages/class_ids.h"
#include "stages/nucleus_targets.h"

namespace wsi::train {

namespace {

/// Multiplications in bfloat16 while it lives, on this thread.
class Bf16Scope {
public:
    explicit Bf16Scope(bool on) : before_(at::autocast::is_autocast_enabled(at::kCPU)) {
        at::autocast::set_autocast_enabled(at::kCPU, on);
        at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    }
    ~Bf16Scope() {
        at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(at::kCPU, before_);
    }
    Bf16Scope(const Bf16Scope&) = delete;
    Bf16Scope& operator=(const Bf16Scope&) = delete;

private:
    bool before_;
};

/// Of the classes' loss, beside Dice and focal loss with a half each.
constexpr double kClassWeight = 0.5;

struct Targets {
    at::Tensor classes;    ///< [N, 2, H, W] background, nucleus
    at::Tensor distance;   ///< [N, 1, H, W]
    at::Tensor of_nuclei;  ///< [N, H, W] classes of nuclei from 1; 0: not given, or no nucleus
};

/// [H, W] int64, from 1; 0 where no class is given.
at::Tensor classes_in(const LabelImage& ids) {
    const at::Tensor classes = at::empty({ids.height(), ids.width()}, at::kLong);
    std::transform(ids.data(), ids.data() + ids.size().area(), classes.data_ptr<int64_t>(),
                   class_of_id);
    return classes;
}

Targets targets_of(std::span<const TrainingPatch> batch) {
    std::vector<at::Tensor> classes, distances, of_nuclei;
    for (const TrainingPatch& patch : batch) {
        NucleusTargets t = nucleus_targets(patch.ids);
        const int64_t h = t.nucleus.height(), w = t.nucleus.width();
        const at::Tensor nucleus =
            at::from_blob(t.nucleus.data(), {1, h, w}, at::kByte).to(at::kFloat);
        classes.push_back(at::cat({1 - nucleus, nucleus}));
        distances.push_back(at::from_blob(t.distance.data(), {1, h, w}, at::kFloat).clone());
        of_nuclei.push_back(classes_in(patch.ids));
    }
    return {at::stack(classes), at::stack(distances), at::stack(of_nuclei)};
}

/// Channels before those of classes: background, nucleus (, distance).
int64_t heads_of(const NetworkConfig& network) { return network.distance ? 3 : 2; }

std::vector<at::Tensor> parameters_of(torch::nn::Module& module) { return module.parameters(); }

/// Channels last: convolutions on a CPU need no reordering then, a step is 1.4 times faster.
std::shared_ptr<nn::Network> made(const Config& config) {
    std::shared_ptr<nn::Network> network = nn::make_network(config.network, config.run.seed);
    for (at::Tensor& p : network->parameters())
        if (p.dim() == 4) p.set_data(p.contiguous(at::MemoryFormat::ChannelsLast));
    return network;
}

std::shared_ptr<const nn::ContextEncoder> open_context(const Config& config) {
    if (config.network.fusion == FusionKind::None) return nullptr;
    if (config.model.encoder_weights == "auto")
        fail(ErrorKind::Config,
             "network.fusion needs the weights of a frozen encoder; give them "
             "with --set model.encoder_weights=FILE");
    return std::make_shared<const nn::ContextEncoder>(config, config.model.encoder_weights, "");
}

/// Mean of a loss of background and nucleus over all scales that have a head.
template <class Loss>
at::Tensor mean_over(const std::vector<at::Tensor>& scales, const Loss& loss) {
    at::Tensor sum = loss(scales[0].narrow(1, 0, 2));
    for (size_t i = 1; i < scales.size(); ++i) sum = sum + loss(scales[i]);
    return sum / static_cast<double>(scales.size());
}

/// The padded size that the network's four poolings divide.
int64_t padded(int64_t side) { return (side + 15) / 16 * 16; }

}  // namespace

TorchTrainer::TorchTrainer(const Config& config)
    : config_(config),
      context_(open_context(config)),
      embeddings_(config.train.embedding_cache, config.train.embedding_cache_gb),
      network_(made(config)),
      averaged_(made(config)),
      optimiser_(parameters_of(*network_),
                 config.train.optimiser == OptimiserKind::Adam ? WeightDecay::InGradient
                                                               : WeightDecay::Apart,
                 config.train.weight_decay),
      group_(nn::translated(ProcessGroup::from_environment)) {
    if (group_) nn::translated([&] { meet_others(); });
    at::set_num_threads(config.run.threads);
    averaged_->eval();
}

void TorchTrainer::meet_others() {
    std::string settings = "run.seed = " + std::to_string(config_.run.seed) + '\n';
    for (const auto& [key, value] : with_settings({})) settings += key + " = " + value + '\n';
    group_->require_equal(settings);
    for (const auto& module : network_->modules())
        if (auto* const ours = module->as<nn::BatchNormImpl>())
            ours->synchronise(group_.get());
        else if (module->as<torch::nn::BatchNorm2dImpl>())
            fail(ErrorKind::Config, config_.network.architecture,
                 " has a batch norm that several processes cannot share; train it in one");
}

nn::Supervised TorchTrainer::supervised(std::span<const ConstRgbView> images) {
    const at::Tensor embeddings = embeddings_of(images);
    const Bf16Scope bf16(config_.train.precision == Precision::Bf16);
    nn::Supervised says = network_->supervised(
        nn::to_images(images).contiguous(at::MemoryFormat::ChannelsLast), embeddings);
    for (at::Tensor& logits : says.scales) logits = logits.to(at::kFloat);
    return says;
}

at::Tensor TorchTrainer::averaged_logits(const at::Tensor& images) {
    const Bf16Scope bf16(config_.train.precision == Precision::Bf16);
    return averaged_->forward(images.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kFloat);
}

/// Every patch is shown to the encoder alone: in the field mode it is a field that ends there.
at::Tensor TorchTrainer::embeddings_of(std::span<const ConstRgbView> images) {
    if (!context_) return {};
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> all;
    for (const ConstRgbView& image : images)
        all.push_back(
            context_->part(embeddings_.embed(*context_, image), {0, 0, image.width, image.height}));
    return at::cat(all);
}

StepLoss TorchTrainer::step(std::span<const TrainingPatch> batch, double learning_rate) {
    return nn::translated([&] { return step_once(batch, learning_rate); });
}

StepLoss TorchTrainer::step_once(std::span<const TrainingPatch> batch, double learning_rate) {
    std::vector<ConstRgbView> views;
    for (const TrainingPatch& patch : batch) views.push_back(patch.rgb.view());
    const Targets targets = targets_of(batch);
    network_->train();
    // Dropout draws from the default generator: seeded by the step, a resumed run draws the same.
    // Others than those of the other processes.
    at::manual_seed(config_.run.seed + static_cast<uint64_t>(optimiser_.steps()) +
                    (static_cast<uint64_t>(rank()) << 40));
    const nn::Supervised says = supervised(views);
    const std::vector<at::Tensor>& scales = says.scales;
    const at::Tensor dice = mean_over(scales, [&](const at::Tensor& logits) {
        return dice_loss(logits, targets.classes, group_.get());
    });
    const at::Tensor focal = mean_over(
        scales, [&](const at::Tensor& logits) { return focal_loss(logits, targets.classes); });
    const at::Tensor distance = config_.network.distance
                                    ? distance_loss(scales[0].narrow(1, 2, 1), targets.distance)
                                    : at::zeros({});
    const at::Tensor presence = says.presence.defined()
                                    ? presence_loss(says.presence.to(at::kFloat), targets.classes)
                                    : at::zeros({});
    const int64_t heads = heads_of(config_.network);
    const at::Tensor classes =
        scales[0].size(1) > heads
            ? class_loss(scales[0].slice(1, heads), targets.of_nuclei, group_.get())
            : at::zeros({});
    const at::Tensor means =
        0.5 * focal + config_.train.distance_weight * distance + presence + kClassWeight * classes;
    // Of equal batches: a process's share of the mean over all is its own over their number.
    const at::Tensor total = 0.5 * dice + means / processes();
    StepLoss loss = logged(dice, focal, distance, means);
    if (!std::isfinite(loss.total)) return loss;  // the caller stops; weights are as they were
    total.backward();
    sum_gradients();
    loss.gradient_norm = optimiser_.clip(config_.train.clip_norm);
    if (!std::isfinite(loss.gradient_norm)) return loss;
    optimiser_.step(learning_rate);
    average();
    return loss;
}

/// The losses of all processes' batches together.
StepLoss TorchTrainer::logged(const at::Tensor& dice, const at::Tensor& focal,
                              const at::Tensor& distance, const at::Tensor& means) {
    at::Tensor all = at::stack({focal, distance, means}).detach();
    if (group_) all = group_->sum(all) / processes();
    const at::Tensor total = 0.5 * dice.detach() + all[2];
    return {total.item<double>(), dice.item<double>(), all[0].item<double>(), all[1].item<double>(),
            0};
}

void TorchTrainer::sum_gradients() {
    if (!group_) return;
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> all;
    for (at::Tensor& p : network_->parameters()) {
        if (!p.grad().defined()) p.mutable_grad() = at::zeros_like(p);
        all.push_back(p.grad().reshape(-1));
    }
    const at::Tensor sum = group_->sum(at::cat(all));
    int64_t first = 0;
    for (at::Tensor& p : network_->parameters()) {
        p.mutable_grad().copy_(sum.narrow(0, first, p.numel()).view(p.sizes()));
        first += p.numel();
    }
}

bool TorchTrainer::any(bool yes) {
    if (!group_) return yes;
    return nn::translated(
        [&] { return group_->sum(at::full({1}, yes ? 1.0F : 0.0F)).item<float>() > 0; });
}

void TorchTrainer::average() {
    const at::NoGradGuard no_gradients;
    const auto t = static_cast<double>(optimiser_.steps());
    const double keep = std::min(config_.train.ema, (1 + t) / (10 + t));
    const nn::StateDict from = nn::state_of(*network_);
    for (auto& [name, tensor] : nn::state_of(*averaged_)) {
        at::Tensor to = tensor;
        if (to.is_floating_point())
            to.lerp_(from.at(name), 1 - keep);
        else
            to.copy_(from.at(name));
    }
}

/// Squares of what one embedding shows, side by side.
void TorchTrainer::predict_fused(const RgbImage& rgb, GrayView probability, GrayView distance) {
    const nn::NetworkRunner runner(
        averaged_, context_,
        config_.network.context == EncoderContext::Field ? config_.train.patch_px : 0);
    const PixelRect whole{0, 0, rgb.width(), rgb.height()};
    const int64_t side = context_->view_px();
    for (int64_t y = 0; y < whole.height; y += side)
        for (int64_t x = 0; x < whole.width; x += side) {
            const PixelRect rect = intersection({x, y, side, side}, whole);
            const ConstRgbView seen = rgb.view().crop(rect);
            runner.maps(seen, embeddings_.embed(*context_, seen), probability.crop(rect),
                        distance.crop(rect));
        }
}

std::vector<float> TorchTrainer::encoding(const RgbImage& rgb) {
    if (!context_) return {};
    return nn::translated([&] {
        const at::NoGradGuard no_gradients;
        const int64_t side = context_->view_px();
        const ConstRgbView seen =
            rgb.view().crop({0, 0, std::min(side, rgb.width()), std::min(side, rgb.height())});
        const at::Tensor mean = embeddings_.embed(*context_, seen)
                                    .mean(at::IntArrayRef{2, 3})
                                    .to(at::kCPU, at::kFloat)
                                    .contiguous();
        const float* const first = mean.const_data_ptr<float>();
        return std::vector<float>(first, first + mean.numel());
    });
}

void TorchTrainer::predict(const RgbImage& rgb, GrayImage& probability, GrayImage& distance) {
    const at::NoGradGuard no_gradients;
    if (context_) {
        probability.resize(rgb.width(), rgb.height());
        distance.resize(rgb.width(), rgb.height());
        return predict_fused(rgb, probability, distance);
    }
    const int64_t width = padded(rgb.width()), height = padded(rgb.height());
    const TrainingPatch whole = centre_patch(rgb, LabelImage(rgb.width(), rgb.height()),
                                             static_cast<int>(std::max(width, height)));
    const std::array<ConstRgbView, 1> view{whole.rgb.view()};
    const at::Tensor logits = averaged_logits(nn::to_images(view));
    const int64_t side = whole.rgb.width();
    probability.resize(rgb.width(), rgb.height());
    distance.resize(rgb.width(), rgb.height());
    const at::Tensor middle = logits.narrow(2, (side - rgb.height()) / 2, rgb.height())
                                  .narrow(3, (side - rgb.width()) / 2, rgb.width());
    const std::array<GrayView, 2> maps{probability.view(), distance.view()};
    nn::copy_maps(nn::byte_maps(middle, middle.size(1) - heads_of(config_.network))[0], maps);
}

nn::Notes TorchTrainer::with_settings(const WeightsNotes& notes) const {
    nn::Notes all = notes;
    for (const auto& [key, value] : training_fields(config_)) all[key] = value;
    if (!context_) return all;
    all[nn::kEncoderHashNote] = context_->sha256();
    all[nn::kEncoderFileNote] =
        std::filesystem::path(config_.model.encoder_weights).filename().string();
    return all;
}

void TorchTrainer::save_weights(const std::string& path, const WeightsNotes& notes) {
    if (rank() > 0) return;
    const nn::StateDict weights = nn::state_of(*averaged_);
    for (const auto& [name, tensor] : weights)
        if (!tensor.to(at::kHalf).isfinite().all().item<bool>())
            fail(ErrorKind::Device, path, ": not written: ", name,
                 " holds values beyond the file's half precision; lower train.learning_rate");
    nn::write_state(path, weights, with_settings(notes), at::kHalf);
}

nn::StateDict TorchTrainer::everything() {
    nn::StateDict all;
    for (const auto& [name, tensor] : nn::state_of(*network_)) all["network." + name] = tensor;
    for (const auto& [name, tensor] : nn::state_of(*averaged_)) all["averaged." + name] = tensor;
    const auto names = network_->named_parameters().keys();
    for (size_t i = 0; i < names.size(); ++i) {
        all["first." + names[i]] = optimiser_.first_moments()[i];
        all["second." + names[i]] = optimiser_.second_moments()[i];
    }
    return all;
}

void TorchTrainer::save_checkpoint(const std::string& path, const WeightsNotes& notes) {
    if (rank() > 0) return;
    nn::Notes all = with_settings(notes);
    all["optimiser.steps"] = std::to_string(optimiser_.steps());
    nn::write_state(path, everything(), all);
}

void TorchTrainer::check_settings(const std::string& path, const nn::Notes& notes) const {
    // A setting that the file does not know is younger than it: then the default was in force.
    std::map<std::string, std::string> saved;
    for (const auto& [key, value] : training_fields(Config{})) saved[key] = value;
    for (const auto& [key, value] : notes) saved[key] = value;
    for (const auto& [key, value] : with_settings({})) {
        if (key == nn::kEncoderFileNote) continue;  // it may have been renamed: its hash counts
        const std::string before = saved.contains(key) ? saved.at(key) : "nothing";
        if (before != value)
            fail(ErrorKind::Checkpoint, path, " was made with ", key, " = ", before, ", now it is ",
                 value, "; give the same settings, or another --output to start anew");
    }
}

WeightsNotes TorchTrainer::load_checkpoint(const std::string& path) {
    const nn::StateFile file = nn::read_state(path);
    check_settings(path, file.notes);
    const at::NoGradGuard no_gradients;
    for (auto& [name, tensor] : everything()) {
        const auto saved = file.tensors.find(name);
        if (saved == file.tensors.end() || saved->second.sizes() != tensor.sizes())
            fail(ErrorKind::Checkpoint, path, " lacks ", name, "; is it a checkpoint of `train`?");
        at::Tensor to = tensor;
        to.copy_(saved->second);
    }
    const std::string& steps = file.notes.at("optimiser.steps");
    int64_t count = 0;
    std::from_chars(steps.data(), steps.data() + steps.size(), count);
    optimiser_.set_steps(count);
    return file.notes;
}

int64_t TorchTrainer::parameter_count() const {
    int64_t count = 0;
    for (const at::Tensor& p : network_->parameters()) count += p.numel();
    return count;
}

void TorchTrainer::start_from(const std::string& weights) {
    const nn::StateFile file = nn::read_state(weights);
    for (const auto& [key, value] : with_settings({})) {
        const auto saved = file.notes.find(key);
        const bool shape = key.starts_with("network.") && key != "network.dropout";
        if (saved != file.notes.end() && saved->second != value &&
            (shape || key == nn::kEncoderHashNote))
            fail(ErrorKind::Checkpoint, weights, " has ", key, " = ", saved->second, ", expected ",
                 value, " as in the settings of this run; set one or give other weights to --from");
    }
    nn::load_into(*network_, file.tensors, weights);
    nn::load_into(*averaged_, file.tensors, weights);
}

}  // namespace wsi::train
