#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "config/config_io.h"
#include "io/safetensors.h"
#include "io/weights_file.h"
#include "io/weights_names.h"
#include "model/average_weights.h"
#include "model/network_library.h"
#include "model/shipped_weights.h"
#include "pipeline/commands.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

bool is_known(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

/// A file that exists, or the file of a shipped model; empty for another name. Where settings are
/// given, a name is that of a network in the shape they give, not of the model that ships.
std::string file_of(const std::string& name, const CommonOptions& o) {
    std::error_code ignored;
    if (fs::is_regular_file(name, ignored)) return name;
    const bool shaped = !o.set.empty() || !o.preset.empty() || !o.config_file.empty();
    return shaped ? "" : shipped_weights_file(name);
}

int64_t element_count(const WeightsFile& file) {
    int64_t count = 0;
    for (const TensorInfo& tensor : file.tensors()) count += elements(tensor);
    return count;
}

void print_file(const WeightsFile& file) {
    std::map<std::string_view, int64_t> types;
    for (const TensorInfo& tensor : file.tensors()) ++types[dtype_name(tensor.dtype)];
    std::vector<std::string> counts;
    for (const auto& [type, count] : types) counts.push_back(fmt::format("{} {}", count, type));
    fmt::print("{}\n  format      {}\n  tensors     {} ({})\n  values      {}\n  sha256      {}\n",
               file.path(),
               file.format() == WeightsFormat::Safetensors ? "safetensors" : "torch.save",
               file.tensors().size(), fmt::join(counts, ", "), element_count(file), file.sha256());
    for (const auto& [key, value] : file.metadata()) fmt::print("  {} = {}\n", key, value);
}

void print_use(const Segmenter& segmenter) {
    const InputSpec& spec = segmenter.input_spec();
    fmt::print("  runs as     {}: {} px tiles with a halo of {} at {} µm per pixel, {} colours\n",
               spec.name, spec.core_px, spec.halo_px, spec.mpp.value,
               spec.normalised ? "normalised" : "the slide's own");
    std::vector<std::string> classes;
    for (const NucleusClass& c : spec.classes) classes.push_back(c.name);
    if (!classes.empty()) fmt::print("  classes     {}\n", fmt::join(classes, ", "));
    fmt::print("  memory      {} MiB of weights, {} MiB per worker\n",
               segmenter.shared_bytes() >> 20, segmenter.working_bytes() >> 20);
}

/// What the file holds, and what a run would make of it or why it cannot be run. Throws for what is
/// neither weights nor a program that runs.
void print_model(const std::string& file, const Config& config) {
    ModelConfig model = config.model;
    model.name = file;
    std::unique_ptr<Segmenter> segmenter;
    std::optional<Error> refusal;
    try {
        segmenter = make_segmenter(model);
    } catch (const Error& error) {
        refusal = error;
    }
    try {
        print_file(open_weights(file));
    } catch (const Error&) {
        if (refusal) throw *refusal;
        fmt::print("{}\n  format      TorchScript\n", file);
    }
    if (segmenter)
        print_use(*segmenter);
    else
        fmt::print("  cannot run  {}\n", refusal->what());
}

void print_layers(const std::vector<LayerRow>& rows) {
    fmt::print("{:<32} {:<18} {:>20} {:>12} {:>10}\n", "layer", "kind", "output", "parameters",
               "MFLOP");
    int64_t parameters = 0, flops = 0;
    for (const LayerRow& row : rows) {
        fmt::print("{:<32} {:<18} {:>20} {:>12} {:>10.1f}\n", row.name, row.kind,
                   fmt::format("{}", fmt::join(row.shape, "x")), row.parameters,
                   static_cast<double>(row.flops) * 1e-6);
        parameters += row.parameters;
        flops += row.flops;
    }
    fmt::print("{:<32} {:<18} {:>20} {:>12} {:>10.1f}\n", "total", "", "", parameters,
               static_cast<double>(flops) * 1e-6);
}

/// Names without what training programs wrap around them; the same number of different ones.
std::vector<std::string> plain_names(const WeightsFile& file) {
    std::vector<std::string> names;
    for (const TensorInfo& tensor : file.tensors()) names.push_back(tensor.name);
    strip_wrapper_names(names);
    std::vector<std::string> sorted = names;
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end())
        fail(ErrorKind::Checkpoint, file.path(), " holds two tensors that are both called ", *twice,
             " once the names of wrappers are left out");
    return names;
}

void write_converted(const WeightsFile& in, const std::string& output,
                     const std::map<std::string, std::string>& metadata) {
    const std::vector<std::string> names = plain_names(in);
    std::vector<TensorBytes> tensors;
    std::vector<std::vector<std::byte>> copies;  // of transposed and sliced tensors alone
    copies.reserve(in.tensors().size());
    for (size_t i = 0; i < names.size(); ++i) {
        const TensorInfo& tensor = in.tensors()[i];
        std::span<const std::byte> bytes = in.bytes(tensor);
        if (!is_contiguous(tensor)) bytes = copies.emplace_back(row_major_bytes(in, tensor));
        tensors.push_back({names[i], tensor.dtype, tensor.shape, bytes});
    }
    write_safetensors(output, tensors, metadata);
}

}  // namespace

int model_list_command(const CommonOptions&) {
    fmt::print("models (--model):\n  classical\n");
    for (const std::string& name : shipped_weights())
        fmt::print("  {:<14}{}\n", name, shipped_weights_file(name));
    const NetworkLibrary& library = network_library();
    fmt::print("networks (network.architecture): {}\n", fmt::join(library.architectures(), ", "));
    fmt::print("frozen encoders (network.encoder): {}\n", fmt::join(library.encoders(), ", "));
    fmt::print("files of other programs: HoVer-Net, CellViT, TorchScript with a model card\n");
    return 0;
}

int model_info_command(const ModelInfoOptions& what, const CommonOptions& options) {
    const Config config = effective_config(options);
    const std::string file = file_of(what.model, options);
    if (!file.empty()) {
        print_model(file, config);
    } else if (!is_known(network_library().architectures(), what.model) &&
               !is_known(network_library().encoders(), what.model)) {
        fail(ErrorKind::Config, what.model,
             " is neither a weights file nor a model, network or encoder that `wsi-segment model "
             "list` names");
    }
    if (what.layers || file.empty())
        print_layers(network_library().layers(file.empty() ? what.model : file, config, what.px));
    return 0;
}

int model_convert_command(const ModelConvertOptions& what, const CommonOptions& options) {
    if (!what.output.ends_with(".safetensors"))
        fail(ErrorKind::Config, "model convert writes .safetensors, not ", what.output);
    const WeightsFile in = open_weights(what.input);
    std::map<std::string, std::string> metadata = in.metadata();
    metadata["source.sha256"] = in.sha256();
    if (what.network) {
        const Config config = effective_config(options);
        network_library().check_weights(what.input, config);
        for (const auto& [key, value] : training_fields(config)) metadata[key] = value;
    }
    write_converted(in, what.output, metadata);
    fmt::print("{}: {} tensors, {} values\n", what.output, in.tensors().size(), element_count(in));
    return 0;
}

int model_average_command(const ModelAverageOptions& what, const CommonOptions& options) {
    if (!what.output.ends_with(".safetensors"))
        fail(ErrorKind::Config, "model average writes .safetensors, not ", what.output);
    effective_config(options);  // refuses settings that do not exist
    std::map<std::string, std::string> changes;
    for (const std::string& setting : options.set) {
        const size_t equals = setting.find('=');
        changes[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    average_weights(what.inputs, what.output, changes);
    fmt::print("{}: the mean of {} files\n", what.output, what.inputs.size());
    return 0;
}

}  // namespace wsi
