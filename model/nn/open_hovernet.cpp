#include <algorithm>

#include "config/error.h"
#include "model/nn/foreign_classes.h"
#include "model/nn/hovernet.h"
#include "model/nn/state.h"

namespace wsi::nn {

namespace {

constexpr const char* kTypeHead = "decoder.tp.u0.conv.weight";
constexpr const char* kDecoderKernel = "decoder.np.u3.conva.weight";
constexpr double kMpp = 0.25;  // of all published weights

class HoverNetNetwork final : public ForeignNetwork {
public:
    HoverNetNetwork(const StateFile& file, const HoverNetOptions& options, const std::string& path)
        : network_(options), mode_(options.mode), base_(options.base) {
        StateDict tensors = file.tensors;
        tensors.erase("upsample2x.unpool_mat");  // a constant of the published code
        load_into(*network_, tensors, path);
        network_->eval();
        for (at::Tensor& p : network_->parameters()) p.set_requires_grad(false);
        const bool fast = mode_ == HoverNetMode::Fast;
        spec_.name = fast ? "hovernet-fast" : "hovernet-original";
        spec_.mpp = Mpp{kMpp};
        spec_.core_px = 384;
        spec_.halo_px = fast ? 80 : 127;  // input 8 k, or 8 k + 6
        spec_.feather_px = 32;
        spec_.normalised = false;
        spec_.hash = file.sha256;
        complete_spec(spec_, std::max<int64_t>(0, options.types - 1), path);
    }
    const InputSpec& spec() const override { return spec_; }
    int margin_px() const override { return HoverNetImpl::margin_px(mode_); }
    int64_t working_bytes() const override {
        // In the first block: its input, a norm of it and the sum, 4 base channels each; float32.
        return 3 * 4 * base_ * 4 * int64_t{spec_.input_px()} * spec_.input_px();
    }
    int64_t weights_bytes() const override { return bytes_of(*network_); }
    const torch::nn::Module* module() const override { return network_.get(); }
    ForeignMaps operator()(const at::Tensor& images) override {
        const HoverNetImpl::Logits logits = network_->forward(images);
        ForeignMaps maps;
        maps.probability = softmax_of(logits.np[0])[1];
        maps.offsets = logits.hv[0];
        if (logits.tp.defined())
            maps.classes = softmax_of(logits.tp[0]).narrow(0, 1, logits.tp.size(1) - 1);
        return maps;
    }

private:
    HoverNet network_;
    HoverNetMode mode_;
    int64_t base_;
    InputSpec spec_;
};

}  // namespace

bool is_hovernet(const WeightsFile& file) {
    return file.find(kDecoderKernel) != nullptr && file.find("conv_bot.weight") != nullptr;
}

std::unique_ptr<ForeignNetwork> open_hovernet(const std::string& path) {
    const StateFile file = read_state(path);
    HoverNetOptions options;
    const at::Tensor& kernel = file.tensors.at(kDecoderKernel);
    if (const auto first = file.tensors.find("conv0./.weight");
        first != file.tensors.end() && first->second.dim() == 4)
        options.base = std::clamp<int64_t>(first->second.size(0) / 8 * 8, 8, 64);
    options.mode =
        kernel.dim() == 4 && kernel.size(2) == 5 ? HoverNetMode::Original : HoverNetMode::Fast;
    if (const auto head = file.tensors.find(kTypeHead); head != file.tensors.end()) {
        options.types = head->second.dim() == 4 ? head->second.size(0) : 0;
        if (options.types < 2 || options.types > 100)
            fail(ErrorKind::Checkpoint, path, ": ", kTypeHead, " is for ", options.types,
                 " types; expected background and 1 to 99 types");
    }
    return std::make_unique<HoverNetNetwork>(file, options, path);
}

}  // namespace wsi::nn
