#include "model/nn/layer_list.h"

#include <torch/library.h>

#include <map>
#include <optional>
#include <span>

#include "config/error.h"

namespace wsi::nn {

namespace {

/// In the place of a module's name: what it works with is not a parameter.
constexpr const char* kNobody = "-";

constexpr c10::DispatchKey kMode = c10::DispatchKey::TESTING_ONLY_GenericMode;

/// What a thread's list_layers() has seen.
class Recorder {
public:
    explicit Recorder(const torch::nn::Module& module) {
        for (const auto& item : module.named_parameters()) {
            const size_t dot = item.key().rfind('.');
            const std::string owner = dot == std::string::npos ? "" : item.key().substr(0, dot);
            owners_[item.value().unsafeGetTensorImpl()] = owner;
            unlisted_[owner] += item.value().numel();
        }
    }
    void record(const std::string& op, const std::vector<at::Tensor>& given, at::Tensor result);
    std::vector<LayerRow> rows();

private:
    void add(const std::string& owner, const std::string& kind, const at::Tensor& result,
             int64_t flops);
    void add_product(const at::Tensor& result, int64_t flops);
    std::map<const void*, std::string> owners_;  ///< tensors that are parameters or views of them
    std::map<std::string, int64_t> unlisted_;    ///< parameters not listed yet, by module
    std::vector<at::Tensor> views_;              ///< kept, so that addresses stay theirs
    std::vector<LayerRow> rows_;
};

bool is_view(const std::string& op) {
    for (const char* name : {"narrow", "slice", "view", "reshape", "transpose", "t", "permute"})
        if (op == std::string("aten::") + name) return true;
    return false;
}

void Recorder::add(const std::string& owner, const std::string& kind, const at::Tensor& result,
                   int64_t flops) {
    rows_.push_back({owner, kind, result.sizes().vec(), unlisted_[owner], flops});
    unlisted_[owner] = 0;
}

void Recorder::add_product(const at::Tensor& result, int64_t flops) {
    if (rows_.empty() || rows_.back().kind != "products")
        rows_.push_back({kNobody, "products", {}, 0, 0});
    rows_.back().shape = result.sizes().vec();
    rows_.back().flops += flops;
}

void Recorder::record(const std::string& op, const std::vector<at::Tensor>& given,
                      at::Tensor result) {
    const auto owner_of = [&](size_t i) {
        const auto found = i < given.size() && given[i].defined()
                               ? owners_.find(given[i].unsafeGetTensorImpl())
                               : owners_.end();
        return found == owners_.end() ? std::string(kNobody) : found->second;
    };
    if (is_view(op) && owner_of(0) != kNobody) {
        owners_[result.unsafeGetTensorImpl()] = owner_of(0);
        views_.push_back(result);
    } else if (op == "aten::conv2d") {
        add(owner_of(1), "conv2d", result,
            2 * result.numel() * given[1].numel() / given[1].size(0));
    } else if (op == "aten::conv_transpose2d") {
        add(owner_of(1), "conv_transpose2d", result,
            2 * given[0].numel() * given[1].numel() / given[1].size(0));
    } else if (op == "aten::linear") {
        add(owner_of(1), "linear", result, 2 * result.numel() * given[0].size(-1));
    } else if (op == "aten::batch_norm" || op == "aten::layer_norm" || op == "aten::group_norm" ||
               op == "aten::instance_norm") {
        add(owner_of(1), op.substr(6), result, 0);
    } else if (op == "aten::bmm" || op == "aten::matmul" || op == "aten::mm") {
        add_product(result, 2 * result.numel() * given[0].size(-1));
    } else if (op == "aten::scaled_dot_product_attention") {
        const int64_t logits = given[0].numel() / given[0].size(-1) * given[1].size(-2);
        add_product(result, 2 * logits * (given[0].size(-1) + given[2].size(-1)));
    }
}

std::vector<LayerRow> Recorder::rows() {
    int64_t others = 0;
    for (const auto& [owner, count] : unlisted_) others += count;
    if (others > 0) rows_.push_back({kNobody, "others", {}, others, 0});
    return std::move(rows_);
}

thread_local Recorder* recorder = nullptr;

/// The same shape, strides and type without memory.
at::Tensor on_meta(const at::Tensor& tensor) {
    if (!tensor.defined() || tensor.is_meta()) return tensor;
    return at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(at::kMeta));
}

using Arguments = c10::ArrayRef<c10::IValue>;

/// [N, channels, H', W'] of a convolution (transposed: the inverse) of arguments[0].
at::Tensor convolved(Arguments arguments, int64_t channels, bool transposed) {
    const at::Tensor input = arguments[0].toTensor(), weight = arguments[1].toTensor();
    const auto pair = [&](size_t i, size_t axis) {
        const std::vector<int64_t> values = arguments[i].toIntVector();
        return values.size() > 1 ? values[axis] : values.at(0);
    };
    std::vector<int64_t> shape{input.size(0), channels};
    for (size_t axis = 0; axis < 2; ++axis) {
        const auto dim = static_cast<int64_t>(axis) + 2;
        const int64_t stride = pair(3, axis), padding = pair(4, axis);
        const int64_t reach = pair(transposed ? 7 : 5, axis) * (weight.size(dim) - 1);
        shape.push_back(transposed ? (input.size(dim) - 1) * stride - 2 * padding + reach + 1 +
                                         pair(5, axis)
                                   : (input.size(dim) + 2 * padding - reach - 1) / stride + 1);
    }
    return at::empty(shape, input.options().device(at::kMeta));
}

/// What LibTorch has no shapes for without Python; undefined for every other operation.
at::Tensor shape_of(const std::string& op, Arguments arguments) {
    const auto tensor = [&](size_t i) { return arguments[i].toTensor(); };
    if (op == "aten::conv2d") return convolved(arguments, tensor(1).size(0), false);
    if (op == "aten::conv_transpose2d")
        return convolved(arguments, tensor(1).size(1) * arguments[6].toInt(), true);
    if (op == "aten::relu" || op == "aten::batch_norm" || op == "aten::layer_norm" ||
        op == "aten::instance_norm" || op == "aten::group_norm")
        return on_meta(at::empty_like(tensor(0)));
    if (op != "aten::scaled_dot_product_attention") return {};
    std::vector<int64_t> shape = tensor(0).sizes().vec();
    shape.back() = tensor(2).size(-1);
    return at::empty(shape, tensor(0).options().device(at::kMeta));
}

/// The tensors among an operation's arguments as they came; on the stack stay meta ones, which no
/// operation takes to another device.
std::vector<at::Tensor> take_to_meta(std::span<c10::IValue> arguments) {
    std::vector<at::Tensor> given;
    for (c10::IValue& value : arguments) {
        if (value.isTensor()) {
            given.push_back(value.toTensor());
            value = on_meta(value.toTensor());
        } else if (value.isTensorList()) {
            c10::List<at::Tensor> list;
            for (const at::Tensor& t : value.toTensorVector()) list.push_back(on_meta(t));
            value = list;
        } else if (value.isOptionalTensorList()) {
            c10::List<std::optional<at::Tensor>> list;
            for (const auto& t : value.toOptionalTensorVector())
                list.push_back(t ? std::optional(on_meta(*t)) : std::nullopt);
            value = list;
        } else if (value.isDevice() && !given.empty()) {
            value = c10::Device(c10::kMeta);
        }
    }
    return given;
}

/// Every operation of the thread comes here first.
void run_on_shapes(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
    const c10::impl::ExcludeDispatchKeyGuard once(kMode);
    const size_t count = op.schema().arguments().size();
    const std::span<c10::IValue> arguments(stack->data() + (stack->size() - count), count);
    const std::vector<at::Tensor> given = take_to_meta(arguments);
    const std::string& name = op.schema().name();
    if (at::Tensor result =
            shape_of(name, c10::ArrayRef<c10::IValue>(arguments.data(), arguments.size()));
        result.defined()) {
        torch::jit::drop(*stack, count);
        torch::jit::push(*stack, std::move(result));
    } else {
        op.callBoxed(stack);
    }
    if (recorder && !stack->empty() && stack->back().isTensor() &&
        stack->back().toTensor().defined())
        recorder->record(name, given, stack->back().toTensor());
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_shapes>());
}

}  // namespace

std::vector<LayerRow> list_layers(const torch::nn::Module& module,
                                  const std::function<void()>& forward) {
    const at::NoGradGuard no_gradients;
    Recorder seen(module);
    recorder = &seen;
    try {
        const c10::impl::IncludeDispatchKeyGuard mode(kMode);
        forward();
    } catch (...) {
        recorder = nullptr;
        throw;
    }
    recorder = nullptr;
    return seen.rows();
}

}  // namespace wsi::nn
