#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/nn/torch.h"

namespace wsi::nn {

/// Parameters and buffers by name.
using StateDict = std::map<std::string, at::Tensor>;
using Notes = std::map<std::string, std::string>;  ///< metadata of a weights file

/// Shares memory with the module; names as in Python's state_dict().
StateDict state_of(const torch::nn::Module& module);

struct StateFile {
    StateDict tensors;  ///< float32 on the CPU; integers as they are
    Notes notes;
    std::string sha256;
};

/// Mapped: float32 tensors stay views into the read-only map of the file, as long as they live; for
/// what is too large to be held twice.
enum class Reading { Copied, Mapped };

/// Reads safetensors or a torch.save archive. Throws Error{Checkpoint}; a tensor that is not finite
/// is an error as well.
StateFile read_state(const std::string& path, Reading reading = Reading::Copied);

/// Floating-point tensors are written as `dtype` (at::kFloat or at::kHalf).
void write_state(const std::string& path, const StateDict& tensors, const Notes& notes,
                 at::ScalarType dtype = at::kFloat);

/// Copies the tensors into the module. Missing, unexpected and mis-shaped ones throw
/// Error{Checkpoint} with counts and the first few names. `num_batches_tracked` may be missing.
void load_into(torch::nn::Module& module, const StateDict& tensors, const std::string& path);

/// The same without a copy: the module's parameters become the tensors given, not to be written to.
void share_into(torch::nn::Module& module, const StateDict& tensors, const std::string& path);

}  // namespace wsi::nn
