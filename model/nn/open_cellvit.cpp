#include <algorithm>
#include <cmath>

#include "config/error.h"
#include "model/nn/cellvit.h"
#include "model/nn/foreign_classes.h"

namespace wsi::nn {

namespace {

constexpr const char *kBinaryHead = "nuclei_binary_map_decoder.decoder0_header.2.weight",
                     *kTypeHead = "nuclei_type_maps_decoder.decoder0_header.2.weight",
                     *kPatches = "encoder.patch_embed.proj.weight",
                     *kPositions = "encoder.pos_embed";

const at::Tensor& need(const StateDict& tensors, const std::string& name, int64_t dimensions,
                       const std::string& path) {
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.dim() != dimensions)
        fail(ErrorKind::Checkpoint, path, ": no tensor ", name, " of ", dimensions,
             " dimensions; is it a whole CellViT checkpoint?");
    return found->second;
}

int64_t depth_of(const StateDict& tensors) {
    int64_t depth = 0;
    while (tensors.contains("encoder.blocks." + std::to_string(depth) + ".norm1.weight")) ++depth;
    return depth;
}

/// Blocks that attend over the whole grid have longer tables of positions than the windowed ones.
void read_sam_shape(const StateDict& tensors, const std::string& path, CellVitOptions& options) {
    SamOptions& sam = options.encoder;
    sam.global_blocks.clear();
    for (int64_t i = 0; i < sam.depth; ++i) {
        const at::Tensor& table =
            need(tensors, "encoder.blocks." + std::to_string(i) + ".attn.rel_pos_h", 2, path);
        sam.heads = sam.dim / std::max<int64_t>(1, table.size(1));
        if (table.size(0) != 2 * sam.window - 1) sam.global_blocks.push_back(i);
    }
    sam.out_channels = need(tensors, "encoder.neck.0.weight", 4, path).size(0);
}

CellVitOptions options_from(const StateDict& tensors, int64_t image_px, const std::string& path) {
    CellVitOptions options;
    SamOptions& encoder = options.encoder;
    encoder.image_px = image_px;
    encoder.dim = need(tensors, kPatches, 4, path).size(0);
    encoder.depth = depth_of(tensors);
    options.types = need(tensors, kTypeHead, 4, path).size(0);
    options.binary = need(tensors, kBinaryHead, 4, path).size(0);
    options.sam = tensors.contains("encoder.neck.0.weight");
    if (encoder.depth == 0 || encoder.depth % 4 != 0 || encoder.dim % 64 != 0 ||
        options.types < 2 || options.types > 100 || options.binary < 2)
        fail(ErrorKind::Checkpoint, path, ": an encoder of ", encoder.depth, " blocks and ",
             encoder.dim, " channels, ", options.types,
             " types; expected CellViT with a SAM or ViT-256 encoder");
    if (options.sam) {
        read_sam_shape(tensors, path, options);
    } else {
        encoder.heads = encoder.dim / 64;
        const int64_t tokens = need(tensors, kPositions, 3, path).size(1) - 1;
        options.positions = std::llround(std::sqrt(static_cast<double>(tokens)));
    }
    return options;
}

/// SAM's tables for a grid of another size: CellViT takes the first rows and columns of the
/// absolute ones, and interpolates the relative ones as SAM does.
void fit_sam_tables(StateDict& tensors, const CellVitOptions& options) {
    constexpr std::string_view kPrefix = "encoder.";
    StateDict encoder;
    for (const auto& [name, tensor] : tensors)
        if (name.starts_with(kPrefix)) encoder[name.substr(kPrefix.size())] = tensor;
    if (const auto at = encoder.find("pos_embed"); at != encoder.end() && at->second.dim() == 4) {
        const int64_t grid = options.encoder.grid();
        at->second = at->second.narrow(1, 0, std::min(grid, at->second.size(1)))
                         .narrow(2, 0, std::min(grid, at->second.size(2)));
    }
    for (const auto& [name, tensor] : sam_encoder_state(encoder, options.encoder))
        tensors[std::string(kPrefix) + name] = tensor;
}

}  // namespace

bool is_cellvit(const WeightsFile& file) {
    return file.find(kBinaryHead) != nullptr && file.find(kPatches) != nullptr;
}

CellVit cellvit_from(StateDict tensors, int64_t image_px, const std::string& path) {
    const CellVitOptions options = options_from(tensors, image_px, path);
    if (options.sam) fit_sam_tables(tensors, options);
    // They tell the tissue of the whole image, which nobody asks for here.
    std::erase_if(tensors, [&](const auto& item) {
        return item.first.starts_with("classifier_head.") ||
               item.first.starts_with("encoder.head.") ||
               (!options.sam && item.first.starts_with("encoder.norm."));
    });
    CellVit network(options);
    load_into(*network, tensors, path);
    network->eval();
    for (at::Tensor& p : network->parameters()) p.set_requires_grad(false);
    return network;
}

namespace {

/// transformations.normalize.{mean,std} of the settings, in the flat form in which CellViT saves
/// them; 0.5 without.
std::array<double, 3> colours_of(const PlainValue::Dict& settings, const std::string& key) {
    std::array<double, 3> out{0.5, 0.5, 0.5};
    const auto config = settings.find("config");
    if (config == settings.end()) return out;
    const auto* values = std::get_if<PlainValue::Dict>(&config->second.value);
    if (values == nullptr) return out;
    const auto found = values->find("transformations.normalize." + key);
    if (found == values->end()) return out;
    const auto* list = std::get_if<PlainValue::List>(&found->second.value);
    if (list == nullptr || list->size() != 3) return out;
    for (size_t i = 0; i < 3; ++i)
        if (const auto* number = std::get_if<double>(&(*list)[i].value)) out[i] = *number;
    return out;
}

at::Tensor row_of(const std::array<double, 3>& v) {
    return at::tensor(at::ArrayRef<double>(v)).to(at::kFloat).view({1, 3, 1, 1});
}

class CellVitNetwork final : public ForeignNetwork {
public:
    explicit CellVitNetwork(const std::string& path) {
        const StateFile file = read_state(path);
        const PlainValue::Dict settings = WeightsFile(path).settings();
        mean_ = row_of(colours_of(settings, "mean"));
        sd_ = row_of(colours_of(settings, "std"));
        spec_.core_px = 384;
        spec_.halo_px = 64;
        spec_.feather_px = 32;
        network_ = cellvit_from(file.tensors, spec_.input_px(), path);
        network_->fold_batch_norm();
        spec_.name = file.tensors.contains("encoder.neck.0.weight") ? "cellvit-sam" : "cellvit-256";
        spec_.mpp = Mpp{0.25};
        spec_.normalised = false;
        spec_.hash = file.sha256;
        complete_spec(spec_, file.tensors.at(kTypeHead).size(0) - 1, path);
    }
    const InputSpec& spec() const override { return spec_; }
    int64_t working_bytes() const override {
        // At the finest stage: 64 channels of skip, 64 of the decoder, their concatenation and the
        // convolution's result and workspace; float32.
        return int64_t{400} * 4 * spec_.input_px() * spec_.input_px();
    }
    int64_t weights_bytes() const override { return bytes_of(*network_); }
    const torch::nn::Module* module() const override { return network_.get(); }
    ForeignMaps operator()(const at::Tensor& images) override {
        const CellVitImpl::Logits logits = network_->forward((images - mean_).div_(sd_));
        ForeignMaps maps;
        maps.probability = softmax_of(logits.np[0])[1];
        maps.offsets = logits.hv[0];
        maps.classes = softmax_of(logits.tp[0]).narrow(0, 1, logits.tp.size(1) - 1);
        return maps;
    }

private:
    CellVit network_{nullptr};
    at::Tensor mean_, sd_;
    InputSpec spec_;
};

}  // namespace

std::unique_ptr<ForeignNetwork> open_cellvit(const std::string& path) {
    return std::make_unique<CellVitNetwork>(path);
}

}  // namespace wsi::nn
