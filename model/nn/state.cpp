#include "model/nn/state.h"

#include <cstring>
#include <span>

#include "config/error.h"
#include "io/safetensors.h"
#include "io/weights_file.h"

namespace wsi::nn {

namespace {

constexpr std::pair<DType, at::ScalarType> kTypes[] = {
    {DType::F64, at::kDouble},    {DType::F32, at::kFloat}, {DType::F16, at::kHalf},
    {DType::BF16, at::kBFloat16}, {DType::I64, at::kLong},  {DType::I32, at::kInt},
    {DType::I16, at::kShort},     {DType::I8, at::kChar},   {DType::U8, at::kByte},
    {DType::Bool, at::kBool}};

at::ScalarType torch_type(DType type) {
    for (const auto& [ours, theirs] : kTypes)
        if (ours == type) return theirs;
    WSI_CHECK(false);
    return at::kFloat;
}

DType file_type(at::ScalarType type) {
    for (const auto& [ours, theirs] : kTypes)
        if (theirs == type) return ours;
    WSI_CHECK(false, at::toString(type));
    return DType::F32;
}

void check_finite(const at::Tensor& tensor, const std::string& path, const std::string& name) {
    if (!tensor.isfinite().all().item<bool>())
        fail(ErrorKind::Checkpoint, path, ": ", name,
             " holds values that are not finite; the training that wrote it went wrong");
}

/// A view into the map, which it keeps open; nothing when the tensor does not lie there as it is
/// needed.
at::Tensor mapped_tensor(const std::shared_ptr<const WeightsFile>& file, const TensorInfo& info) {
    if (info.dtype != DType::F32 || !is_contiguous(info) || elements(info) == 0) return {};
    const std::byte* data = file->bytes(info).data();
    if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0) return {};
    // at::from_blob has no const form; nobody writes to what is shared.
    return at::from_blob(
        const_cast<std::byte*>(data), info.shape, [file](void*) {}, at::kFloat);
}

at::Tensor to_tensor(const WeightsFile& file, const TensorInfo& info) {
    const std::vector<std::byte> bytes = row_major_bytes(file, info);
    at::Tensor tensor = at::empty(info.shape, torch_type(info.dtype));
    if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
    if (!tensor.is_floating_point()) return tensor;
    return tensor.to(at::kFloat);
}

/// "3 missing (a, b, c)" with at most three names.
std::string counted(const char* what, const std::vector<std::string>& names) {
    if (names.empty()) return "";
    std::string text = "; " + std::to_string(names.size()) + " " + what + " (";
    for (size_t i = 0; i < std::min<size_t>(3, names.size()); ++i)
        text += (i ? ", " : "") + names[i];
    return text + (names.size() > 3 ? ", …)" : ")");
}

std::string shape_text(const at::Tensor& tensor) {
    std::string text = "[";
    for (int64_t i = 0; i < tensor.dim(); ++i)
        text += (i ? "," : "") + std::to_string(tensor.size(i));
    return text + "]";
}

}  // namespace

StateDict state_of(const torch::nn::Module& module) {
    StateDict state;
    for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
    for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
    return state;
}

StateFile read_state(const std::string& path, Reading reading) {
    const auto file = std::make_shared<const WeightsFile>(path);
    StateFile state;
    for (const TensorInfo& info : file->tensors()) {
        at::Tensor tensor = reading == Reading::Mapped ? mapped_tensor(file, info) : at::Tensor();
        if (!tensor.defined()) tensor = to_tensor(*file, info);
        if (tensor.is_floating_point()) check_finite(tensor, path, info.name);
        state.tensors[info.name] = tensor;
    }
    state.notes = file->metadata();
    state.sha256 = file->sha256();
    return state;
}

void write_state(const std::string& path, const StateDict& tensors, const Notes& notes,
                 at::ScalarType dtype) {
    std::vector<at::Tensor> kept;  // what the views below look at
    std::vector<TensorBytes> rows;
    for (const auto& [name, tensor] : tensors) {
        at::Tensor plain = tensor.detach().to(at::kCPU);
        if (plain.is_floating_point()) plain = plain.to(dtype);
        plain = plain.contiguous();
        kept.push_back(plain);
        rows.push_back({name, file_type(plain.scalar_type()), plain.sizes().vec(),
                        std::as_bytes(std::span(static_cast<const char*>(plain.const_data_ptr()),
                                                plain.nbytes()))});
    }
    write_safetensors(path, rows, notes);
}

namespace {
/// Calls `take(own, given)` for every tensor of the module, once all of them are known to fit.
template <class Take>
void match(torch::nn::Module& module, const StateDict& tensors, const std::string& path,
           const Take& take) {
    const at::NoGradGuard no_gradients;
    StateDict own = state_of(module);
    std::vector<std::string> missing, unexpected, misshaped;
    for (const auto& [name, tensor] : tensors)
        if (!own.contains(name)) unexpected.push_back(name);
    for (auto& [name, tensor] : own) {
        const auto given = tensors.find(name);
        if (given == tensors.end()) {
            if (!name.ends_with("num_batches_tracked")) missing.push_back(name);
        } else if (given->second.sizes() != tensor.sizes()) {
            misshaped.push_back(name + " " + shape_text(given->second) + " instead of " +
                                shape_text(tensor));
        }
    }
    if (!missing.empty() || !unexpected.empty() || !misshaped.empty())
        fail(ErrorKind::Checkpoint, path, " does not fit the network", counted("missing", missing),
             counted("unexpected", unexpected), counted("of another shape", misshaped),
             "; is it of another architecture or width?");
    for (auto& [name, tensor] : own)
        if (const auto given = tensors.find(name); given != tensors.end())
            take(tensor, given->second);
}
}  // namespace

void load_into(torch::nn::Module& module, const StateDict& tensors, const std::string& path) {
    match(module, tensors, path,
          [](at::Tensor& own, const at::Tensor& given) { own.copy_(given); });
}

void share_into(torch::nn::Module& module, const StateDict& tensors, const std::string& path) {
    match(module, tensors, path,
          [](at::Tensor& own, const at::Tensor& given) { own.set_data(given); });
}

}  // namespace wsi::nn
