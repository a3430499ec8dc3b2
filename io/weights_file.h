#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/mapped_file.h"
#include "io/types/plain_value.h"
#include "io/types/tensor.h"

namespace wsi {

enum class WeightsFormat { Safetensors, TorchArchive };

/// What a weights file says about itself, checked against the file's size.
struct WeightsIndex {
    WeightsFormat format = WeightsFormat::Safetensors;
    std::vector<TensorInfo> tensors;              ///< sorted by name, names unique
    std::map<std::string, std::string> metadata;  ///< safetensors' __metadata__
    PlainValue::Dict settings;  ///< torch archives: what was saved around the state dict
};

/// A file of named tensors: safetensors, or what torch.save writes. Told apart by content. Tensors
/// are views into a read-only memory map; nothing is copied or converted.
class WeightsFile {
public:
    /// Throws Error{Checkpoint} naming the file, what was found, what was expected and what to do.
    explicit WeightsFile(const std::string& path);

    const std::string& path() const { return path_; }
    WeightsFormat format() const { return index_.format; }
    std::span<const TensorInfo> tensors() const { return index_.tensors; }
    /// Null when the file holds no tensor of that name.
    const TensorInfo* find(std::string_view name) const;
    /// From the first to the last element of one of this file's tensors, gaps of strided tensors
    /// included; little-endian, aligned to nothing. Valid as long as this object.
    std::span<const std::byte> bytes(const TensorInfo& tensor) const;
    const std::map<std::string, std::string>& metadata() const { return index_.metadata; }
    const PlainValue::Dict& settings() const { return index_.settings; }
    /// Of the whole file, in hexadecimal. Reads all of it.
    std::string sha256() const;

private:
    std::string path_;
    MappedFile file_;
    WeightsIndex index_;
};

/// Reads the index of a file that lies in memory, by its content. Messages do not name the file.
WeightsIndex read_weights_index(std::span<const std::byte> file);

inline WeightsFile open_weights(const std::string& path) { return WeightsFile(path); }

/// The tensor's elements in row-major order without gaps.
std::vector<std::byte> row_major_bytes(const WeightsFile& file, const TensorInfo& tensor);

}  // namespace wsi
