#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/types/tensor.h"
#include "io/weights_file.h"

namespace wsi {

/// Reads the header of a safetensors file (format description:
/// https://github.com/huggingface/safetensors): 8 bytes little-endian length of the header, the
/// header in JSON, then the tensors' bytes. Throws Error{Checkpoint}; messages do not name the
/// file. Holes between tensors are let through, overlaps are not.
WeightsIndex read_safetensors_index(std::span<const std::byte> file);

/// A tensor to write: row-major, without gaps, little-endian.
struct TensorBytes {
    std::string name;
    DType dtype = DType::F32;
    std::vector<int64_t> shape;
    std::span<const std::byte> bytes;
};

/// Writes a safetensors file that stands under its name only when it is whole. The same tensors and
/// metadata give the same bytes, in whatever order they come: names are sorted in the header, data
/// by element size (largest first, so that each tensor is aligned to its element) and name. Throws
/// Error{Output} when the disk refuses, Error{Internal} on a name given twice or a wrong length.
void write_safetensors(const std::string& path, std::span<const TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace wsi
