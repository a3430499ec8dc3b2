#include "model/nn/script_network.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "config/error.h"
#include "config/model_card.h"
#include "io/mapped_file.h"
#include "io/sha.h"
#include "model/nn/foreign_classes.h"

namespace wsi::nn {

namespace {

using Meaning = ChannelMeaning;

/// Channels of each meaning, checked against each other.
class Channels {
public:
    explicit Channels(const ModelCard& card) {
        for (size_t i = 0; i < card.outputs.size(); ++i)
            places_[card.outputs[i]].push_back(static_cast<int64_t>(i));
        check(card);
    }
    bool has(Meaning meaning) const { return places_.contains(meaning); }
    int64_t one(Meaning meaning) const { return places_.at(meaning).front(); }
    int64_t count(Meaning meaning) const { return has(meaning) ? std::ssize(all(meaning)) : 0; }
    const std::vector<int64_t>& all(Meaning meaning) const { return places_.at(meaning); }
    bool tells_distance() const {
        return has(Meaning::Distance) || has(Meaning::Boundary) || has(Meaning::Horizontal);
    }

private:
    void check(const ModelCard& card) const {
        const auto refuse = [&](const auto&... parts) {
            fail(ErrorKind::Config, card.path, ": outputs: ", parts...);
        };
        for (const auto& [meaning, places] : places_)
            if (meaning != Meaning::ClassLogit && places.size() > 1)
                refuse("channels ", places[0], " and ", places[1], " have the same meaning");
        if (has(Meaning::NucleusProbability) == has(Meaning::NucleusLogit))
            refuse("expected either nucleus_probability or nucleus_logit");
        if (has(Meaning::BackgroundLogit) && !has(Meaning::NucleusLogit))
            refuse("background_logit goes with nucleus_logit only");
        if (has(Meaning::Horizontal) != has(Meaning::Vertical))
            refuse("horizontal and vertical go together");
        const int64_t logits = count(Meaning::ClassLogit), names = std::ssize(card.classes);
        if (logits != names && !(logits == names + 1 && names > 0))
            refuse(logits, " channels class_logit for ", names,
                   " classes; expected one for each, or one more before them for background");
    }

    std::map<Meaning, std::vector<int64_t>> places_;
};

/// What LibTorch says, in one line: its last one, for its interpreter puts a trace before it.
std::string one_line(const std::exception& error) {
    const auto* own = dynamic_cast<const c10::Error*>(&error);
    std::string text = own != nullptr ? own->what_without_backtrace() : error.what();
    text.erase(text.find_last_not_of(" \n") + 1);
    return text.substr(text.rfind('\n') + 1);
}

std::string hash_of(const std::string& path, const std::string& card) {
    const MappedFile file(path);
    Sha256 hash;
    hash.add({reinterpret_cast<const uint8_t*>(file.bytes().data()), file.bytes().size()});
    return hex(hash.digest()) + "+" + sha256_hex(card);
}

at::Tensor row_of(const std::array<double, 3>& v) {
    return at::tensor(at::ArrayRef<double>(v)).to(at::kFloat).view({1, 3, 1, 1});
}

class ScriptNetwork final : public ForeignNetwork {
public:
    ScriptNetwork(const std::string& path, const ModelCard& card)
        : path_(path),
          channels_(card),
          outputs_(std::ssize(card.outputs)),
          mean_(row_of(card.mean)),
          sd_(row_of(card.sd)) {
        spec_.name = card.name;
        spec_.mpp = Mpp{card.mpp};
        spec_.core_px = card.core_px;
        spec_.halo_px = card.halo_px;
        spec_.feather_px = card.feather_px;
        spec_.normalised = card.normalised;
        spec_.distance = channels_.tells_distance();
        spec_.hash = hash_of(path, card.text);
        if (!card.classes.empty()) spec_.classes = foreign_classes(std::ssize(card.classes), card);
        try {
            module_ = torch::jit::load(path, at::Device(at::kCPU));
            module_.eval();
        } catch (const std::exception& error) {
            fail(ErrorKind::Checkpoint, path, ": LibTorch cannot load it: ", one_line(error));
        }
        probe();
    }
    const InputSpec& spec() const override { return spec_; }
    int margin_px() const override { return margin_; }
    int64_t working_bytes() const override {
        // Not known; as much as a U-Net of 64 channels at the finest scale takes.
        return int64_t{400} * 4 * spec_.input_px() * spec_.input_px();
    }
    int64_t weights_bytes() const override {
        size_t bytes = 0;
        for (const at::Tensor& p : module_.parameters()) bytes += p.nbytes();
        return static_cast<int64_t>(bytes);
    }

    ForeignMaps operator()(const at::Tensor& images) override {
        const at::Tensor out = run(images)[0];
        const auto channel = [&](Meaning meaning) { return out[channels_.one(meaning)]; };
        ForeignMaps maps;
        if (channels_.has(Meaning::NucleusProbability))
            maps.probability = channel(Meaning::NucleusProbability);
        else if (channels_.has(Meaning::BackgroundLogit))
            maps.probability =
                at::sigmoid(channel(Meaning::NucleusLogit) - channel(Meaning::BackgroundLogit));
        else
            maps.probability = at::sigmoid(channel(Meaning::NucleusLogit));
        if (channels_.has(Meaning::Distance))
            maps.distance = channel(Meaning::Distance);
        else if (channels_.has(Meaning::Horizontal))
            maps.offsets = at::stack({channel(Meaning::Horizontal), channel(Meaning::Vertical)});
        else if (channels_.has(Meaning::Boundary))
            maps.distance = 1 - channel(Meaning::Boundary);
        if (!spec_.classes.empty()) {
            const at::Tensor shares =
                softmax_of(out.index_select(0, at::tensor(channels_.all(Meaning::ClassLogit))));
            const int64_t classes = std::ssize(spec_.classes);
            maps.classes = shares.narrow(0, shares.size(0) - classes, classes);
        }
        return maps;
    }

private:
    /// The program's one output, [1, outputs, h, w] float32.
    at::Tensor run(const at::Tensor& images) {
        const c10::IValue out = call((images - mean_).div_(sd_));
        if (!out.isTensor())
            fail(ErrorKind::Checkpoint, path_, ": returns ", out.tagKind(),
                 "; expected one tensor [1, ", outputs_, ", h, h] as the model card says");
        return out.toTensor().to(at::kFloat);
    }

    c10::IValue call(const at::Tensor& images) {
        // Without the optimiser, which learns from the first calls: the same bytes every time.
        const torch::jit::GraphOptimizerEnabledGuard plain(false);
        try {
            return module_.get_method("forward")({at::IValue(images)});
        } catch (const std::exception& error) {  // LibTorch's interpreter has errors of its own
            fail(ErrorKind::Checkpoint, path_, ": cannot work on an image of ", images.size(3), "x",
                 images.size(2),
                 " pixels (core_px + 2 halo_px of the model card): ", one_line(error));
        }
    }

    /// One call on an empty image, so that what does not fit is known before a slide is opened.
    void probe() {
        const c10::InferenceMode inference;
        at::set_num_threads(1);
        const int64_t side = spec_.input_px();
        const at::Tensor out = run(at::zeros({1, 3, side, side}));
        const auto sizes = out.sizes();
        const bool fits = sizes.size() == 4 && sizes[0] == 1 && sizes[1] == outputs_ &&
                          sizes[2] == sizes[3] && sizes[2] > 0 && sizes[2] <= side &&
                          (side - sizes[2]) % 2 == 0;
        if (!fits) {
            std::string got;
            for (const int64_t n : sizes) got += (got.empty() ? "" : ", ") + std::to_string(n);
            fail(ErrorKind::Checkpoint, path_, ": returns a tensor [", got, "] for an image of ",
                 side, "x", side, " pixels; expected [1, ", outputs_,
                 ", h, h], a channel for each entry of outputs in the model card, centred");
        }
        margin_ = static_cast<int>((side - sizes[2]) / 2);
    }

    const std::string path_;
    const Channels channels_;
    const int64_t outputs_;
    const at::Tensor mean_, sd_;
    torch::jit::Module module_;
    InputSpec spec_;
    int margin_ = 0;
};

}  // namespace

bool is_torch_script(const std::string& path) {
    const MappedFile file(path);
    const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                                 file.bytes().size());
    // The archive's list of contents is its end.
    constexpr size_t kEnd = 1 << 20;
    return bytes.starts_with("PK") &&
           bytes.substr(bytes.size() - std::min(kEnd, bytes.size())).find("/constants.pkl") !=
               std::string_view::npos;
}

std::unique_ptr<ForeignNetwork> open_script(const std::string& path) {
    const auto card = find_model_card(path);
    if (!card)
        fail(ErrorKind::Config, path,
             " is a TorchScript program, which does not say what it sees and means; put a model "
             "card with the same name and the suffix .yaml beside it (docs/models.md)");
    if (card->mpp <= 0 || card->outputs.empty())
        fail(ErrorKind::Config, card->path, ": ", card->mpp <= 0 ? "mpp" : "outputs",
             " is missing; a TorchScript program needs it (docs/models.md)");
    return std::make_unique<ScriptNetwork>(path, *card);
}

}  // namespace wsi::nn
