#include "model/train/torch_trainer.h"

#include <ATen/Parallel.h>

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
    Bf16Scope(bool on, at::Device device)
        : where_(device.type()), before_(at::autocast::is_autocast_enabled(where_)) {
        at::autocast::set_autocast_enabled(where_, on);
        at::autocast::set_autocast_dtype(where_, at::kBFloat16);
    }
    ~Bf16Scope() {
        at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(where_, before_);
    }
    Bf16Scope(const Bf16Scope&) = delete;
    Bf16Scope& operator=(const Bf16Scope&) = delete;

private:
    at::DeviceType where_;
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

Targets targets_of(std::span<const TrainingPatch> batch, at::Device device) {
    std::vector<at::Tensor> nuclei(batch.size()), distances(batch.size()), of_nuclei(batch.size());
    at::parallel_for(0, std::ssize(batch), 1, [&](int64_t first, int64_t last) {
        for (auto i = static_cast<size_t>(first); i < static_cast<size_t>(last); ++i) {
            NucleusTargets t = nucleus_targets(batch[i].ids);
            const std::array<int64_t, 3> shape{1, t.nucleus.height(), t.nucleus.width()};
            nuclei[i] = at::from_blob(t.nucleus.data(), shape, at::kByte).clone();
            distances[i] = at::from_blob(t.distance.data(), shape, at::kFloat).clone();
            of_nuclei[i] = classes_in(batch[i].ids);
        }
    });
    const at::Tensor nucleus = at::stack(nuclei).to(device).to(at::kFloat);
    return {at::cat({1 - nucleus, nucleus}, 1), at::stack(distances).to(device),
            at::stack(of_nuclei).to(device)};
}

/// Channels before those of classes: background, nucleus (, distance).
int64_t heads_of(const NetworkConfig& network) { return network.distance ? 3 : 2; }

std::vector<at::Tensor> parameters_of(torch::nn::Module& module) { return module.parameters(); }

/// Channels last: convolutions need no reordering then, a step on a CPU is 1.4 times faster.
std::shared_ptr<nn::Network> made(const Config& config, at::Device device) {
    std::shared_ptr<nn::Network> network = nn::make_network(config.network, config.run.seed);
    network->to(device);
    for (at::Tensor& p : network->parameters())
        if (p.dim() == 4) p.set_data(p.contiguous(at::MemoryFormat::ChannelsLast));
    return network;
}

std::shared_ptr<const nn::ContextEncoder> open_context(const Config& config, at::Device device) {
    if (config.network.fusion == FusionKind::None) return nullptr;
    if (config.model.encoder_weights == "auto")
        fail(ErrorKind::Config,
             "network.fusion needs the weights of a frozen encoder; give them "
             "with --set model.encoder_weights=FILE");
    return std::make_shared<const nn::ContextEncoder>(config, config.model.encoder_weights, "",
                                                      nn::Execution{device});
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
      device_(nn::device_of(config.run.device)),
      context_(open_context(config, device_)),
      embeddings_(config.train.embedding_cache, config.train.embedding_cache_gb),
      network_(made(config, device_)),
      averaged_(made(config, device_)),
      optimiser_(parameters_of(*network_),
                 config.train.optimiser == OptimiserKind::Adam ? WeightDecay::InGradient
                                                               : WeightDecay::Apart,
                 config.train.weight_decay),
      group_(nn::translated(ProcessGroup::from_environment)) {
    if (group_) nn::translated([&] { meet_others(); });
    at::set_num_threads(config.run.threads);
    // Float32 means float32.
    at::globalContext().setAllowTF32CuDNN(config.train.precision != Precision::Fp32);
    averaged_->eval();
    const nn::StateDict state = nn::state_of(*network_);
    for (const auto& [name, tensor] : nn::state_of(*averaged_)) {
        Averages& group = tensor.is_floating_point() ? smoothed_ : copied_;
        group.averaged.push_back(tensor);
        group.latest.push_back(state.at(name));
    }
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
    const Bf16Scope bf16(config_.train.precision == Precision::Bf16, device_);
    nn::Supervised says = network_->supervised(
        nn::to_images(images, device_).contiguous(at::MemoryFormat::ChannelsLast), embeddings);
    for (at::Tensor& logits : says.scales) logits = logits.to(at::kFloat);
    return says;
}

at::Tensor TorchTrainer::averaged_logits(const at::Tensor& images) {
    const Bf16Scope bf16(config_.train.precision == Precision::Bf16, device_);
    return averaged_->forward(images.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kFloat);
}

/// Also when it lies in the cache, which knows no device.
at::Tensor TorchTrainer::embedding_of(ConstRgbView image) {
    return embeddings_.embed(*context_, image).to(device_);
}

/// Every patch is shown to the encoder alone: in the field mode it is a field that ends there.
at::Tensor TorchTrainer::embeddings_of(std::span<const ConstRgbView> images) {
    if (!context_) return {};
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> all;
    for (const ConstRgbView& image : images)
        all.push_back(context_->part(embedding_of(image), {0, 0, image.width, image.height}));
    return at::cat(all);
}

StepLoss TorchTrainer::step(std::span<const TrainingPatch> batch, double learning_rate) {
    return nn::translated([&] { return step_once(batch, learning_rate); });
}

StepLoss TorchTrainer::step_once(std::span<const TrainingPatch> batch, double learning_rate) {
    std::vector<ConstRgbView> views;
    for (const TrainingPatch& patch : batch) views.push_back(patch.rgb.view());
    network_->train();
    // Dropout draws from the default generator: seeded by the step, a resumed run draws the same.
    // Others than those of the other processes.
    at::manual_seed(config_.run.seed + static_cast<uint64_t>(optimiser_.steps()) +
                    (static_cast<uint64_t>(rank()) << 40));
    const nn::Supervised says = supervised(views);
    // Made while a device still works on what was said.
    const Targets targets = targets_of(batch, device_);
    const std::vector<at::Tensor>& scales = says.scales;
    const at::Tensor dice = mean_over(scales, [&](const at::Tensor& logits) {
        return dice_loss(logits, targets.classes, group_.get());
    });
    const at::Tensor focal = mean_over(
        scales, [&](const at::Tensor& logits) { return focal_loss(logits, targets.classes); });
    const at::Tensor distance = config_.network.distance
                                    ? distance_loss(scales[0].narrow(1, 2, 1), targets.distance)
                                    : at::zeros({}, dice.options());
    const at::Tensor presence = says.presence.defined()
                                    ? presence_loss(says.presence.to(at::kFloat), targets.classes)
                                    : at::zeros({}, dice.options());
    const int64_t heads = heads_of(config_.network);
    const at::Tensor classes =
        scales[0].size(1) > heads
            ? class_loss(scales[0].slice(1, heads), targets.of_nuclei, group_.get())
            : at::zeros({}, dice.options());
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
    const at::Tensor one = dice.detach();
    const at::Tensor losses = at::cat({at::stack({0.5 * one + all[2], one}), all}).cpu();
    const float* const value = losses.const_data_ptr<float>();
    return {value[0], value[1], value[2], value[3], 0};
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
    at::_foreach_lerp_(smoothed_.averaged, smoothed_.latest, 1 - keep);
    at::_foreach_copy_(copied_.averaged, copied_.latest);
}

/// Squares of what one embedding shows, side by side.
void TorchTrainer::predict_fused(const RgbImage& rgb, GrayView probability, GrayView distance) {
    const nn::NetworkRunner runner(
        averaged_, context_,
        config_.network.context == EncoderContext::Field ? config_.train.patch_px : 0,
        nn::Execution{device_});
    const PixelRect whole{0, 0, rgb.width(), rgb.height()};
    const int64_t side = context_->view_px();
    for (int64_t y = 0; y < whole.height; y += side)
        for (int64_t x = 0; x < whole.width; x += side) {
            const PixelRect rect = intersection({x, y, side, side}, whole);
            const ConstRgbView seen = rgb.view().crop(rect);
            runner.maps(seen, embedding_of(seen), probability.crop(rect), distance.crop(rect));
        }
}

std::vector<float> TorchTrainer::encoding(const RgbImage& rgb) {
    if (!context_) return {};
    return nn::translated([&] {
        const at::NoGradGuard no_gradients;
        const int64_t side = context_->view_px();
        const ConstRgbView seen =
            rgb.view().crop({0, 0, std::min(side, rgb.width()), std::min(side, rgb.height())});
        const at::Tensor mean =
            embedding_of(seen).mean(at::IntArrayRef{2, 3}).to(at::kCPU, at::kFloat).contiguous();
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
    const at::Tensor logits = averaged_logits(nn::to_images(view, device_));
    const int64_t side = whole.rgb.width();
    probability.resize(rgb.width(), rgb.height());
    distance.resize(rgb.width(), rgb.height());
    const at::Tensor middle = logits.narrow(2, (side - rgb.height()) / 2, rgb.height())
                                  .narrow(3, (side - rgb.width()) / 2, rgb.width());
    const std::array<GrayView, 2> maps{probability.view(), distance.view()};
    nn::copy_maps(nn::byte_maps(middle, middle.size(1) - heads_of(config_.network))[0].cpu(), maps);
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
