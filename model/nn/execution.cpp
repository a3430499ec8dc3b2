#include "model/nn/execution.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>

#include "config/error.h"

namespace wsi::nn {

namespace {

at::ScalarType type_of(Precision precision) {
    switch (precision) {
        case Precision::Fp32: return at::kFloat;
        case Precision::Bf16: return at::kBFloat16;
        case Precision::Fp16: return at::kHalf;
    }
    return at::kFloat;
}

bool has_cuda() { return at::globalContext().hasCUDA(); }

}  // namespace

std::string Execution::text() const {
    if (plain()) return "";
    return "; on " + std::string(on_cpu() ? "cpu" : "cuda") + " in " + at::toString(type);
}

at::Device device_of(const std::string& device) {
    if (device == "cuda" && !has_cuda())
        fail(ErrorKind::Device, "run.device = 'cuda': LibTorch finds no CUDA device (it was built ",
             at::globalContext().hasCUDART() ? "with CUDA: nvidia-smi says whether the driver works"
                                             : "without CUDA: install a LibTorch that has it",
             "); leave --device out to run on the CPU");
    return device != "cpu" && has_cuda() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

Execution execution_of(const ModelConfig& config, const std::string& device) {
    Execution execution{device_of(device), type_of(config.precision)};
    if (!execution.on_cpu()) execution.batch = config.batch;
    if (execution.on_cpu() && execution.type == at::kHalf)
        fail(ErrorKind::Config,
             "model.precision = fp16 needs a CUDA device; use fp32, or bf16 to try it on a CPU");
    return execution;
}

void check_device_memory(const Execution& execution, int64_t needed_bytes, int64_t free_bytes,
                         int64_t side_px) {
    if (needed_bytes <= free_bytes) return;
    fail(ErrorKind::Device, "not enough memory for the batch: ", execution.batch, " tiles of ",
         side_px, " px and the weights need about ", needed_bytes >> 20, " MiB on ",
         execution.device.str(), ", of which ", free_bytes >> 20,
         " MiB are free; lower model.batch or model.tile_px, or use model.precision = bf16");
}

std::optional<int64_t> free_device_bytes(const Execution& execution) {
    if (execution.on_cpu()) return std::nullopt;
    return static_cast<int64_t>(at::accelerator::getMemoryInfo(execution.device.index()).first);
}

void narrow_weights(torch::nn::Module& network, const Execution& execution) {
    if (execution.type == at::kFloat) return;
    for (const auto& module : network.modules()) {
        if (!module->as<torch::nn::Conv2d>() && !module->as<torch::nn::ConvTranspose2d>() &&
            !module->as<torch::nn::Linear>())
            continue;
        for (at::Tensor& p : module->parameters(false)) p.set_data(p.to(execution.type));
    }
}

ExecutionScope::ExecutionScope(const Execution& execution)
    : device_(execution.on_cpu() ? std::optional<at::Device>() : execution.device),
      kind_(execution.device.type()),
      autocast_before_(at::autocast::is_autocast_enabled(kind_)) {
    if (execution.on_cpu()) {
        at::set_num_threads(1);
    } else {
        // A picture's bits depend on nothing but the shape of its pass, and float32 means float32.
        at::globalContext().setBenchmarkCuDNN(false);
        at::globalContext().setDeterministicCuDNN(true);
        at::globalContext().setAllowTF32CuDNN(false);
    }
    at::autocast::set_autocast_enabled(kind_, execution.type != at::kFloat);
    if (execution.type != at::kFloat) at::autocast::set_autocast_dtype(kind_, execution.type);
}

ExecutionScope::~ExecutionScope() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(kind_, autocast_before_);
}

}  // namespace wsi::nn
