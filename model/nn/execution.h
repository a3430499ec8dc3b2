#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "model/nn/torch.h"

namespace wsi::nn {

/// Where a network computes, and with how many bits it multiplies.
struct Execution {
    at::Device device{at::kCPU};
    at::ScalarType type = at::kFloat;  ///< of convolutions and matrix products; or bfloat16, half
    int batch = 1;                     ///< pictures in every forward pass

    bool on_cpu() const { return device.is_cpu(); }
    /// Float32 on the CPU, where kernels of our own work.
    bool plain() const { return on_cpu() && type == at::kFloat; }
    /// For a model's identity: "" when plain.
    std::string text() const;
};

/// "auto" (CUDA where there is a device), "cpu" or "cuda". Throws Error{Device} when CUDA is asked
/// for and not there.
at::Device device_of(const std::string& device);

/// On the CPU a pass holds one picture, on a device model.batch of them. Throws as device_of(), and
/// Error{Config} for fp16 on the CPU.
Execution execution_of(const ModelConfig& config, const std::string& device);

/// Throws Error{Device} with both numbers when a device has less memory free than a pass needs.
void check_device_memory(const Execution& execution, int64_t needed_bytes, int64_t free_bytes,
                         int64_t side_px);
/// Memory that the device has free; nothing on the CPU, whose memory the pipeline plans.
std::optional<int64_t> free_device_bytes(const Execution& execution);

/// Convolutions' and linear maps' weights in the type of the multiplications, so that no pass
/// converts them again. Norms and positions stay in float32. After batch norm was folded.
void narrow_weights(torch::nn::Module& network, const Execution& execution);

/// Float32 of half-precision values, other types as they are: what norms and softmax are given.
inline at::Tensor widened(const at::Tensor& x) {
    return at::isReducedFloatingType(x.scalar_type()) ? x.to(at::kFloat) : x;
}

/// While it lives, this thread's calls run as `execution` says: no gradients, its device the
/// current one, one thread on the CPU, multiplications in its type.
class ExecutionScope {
public:
    explicit ExecutionScope(const Execution& execution);
    ~ExecutionScope();
    ExecutionScope(const ExecutionScope&) = delete;
    ExecutionScope& operator=(const ExecutionScope&) = delete;

private:
    const c10::InferenceMode inference_;
    c10::OptionalDeviceGuard device_;
    at::DeviceType kind_;
    bool autocast_before_;
};

}  // namespace wsi::nn
