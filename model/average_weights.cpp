#include "model/average_weights.h"

#include <cstring>
#include <opencv2/core.hpp>
#include <vector>

#include "config/error.h"
#include "io/safetensors.h"
#include "io/weights_file.h"

namespace wsi {

namespace {

/// What a network is; two files that differ here are no points of one space.
void check_settings(const WeightsFile& first, const WeightsFile& other) {
    for (const auto& [key, value] : first.metadata()) {
        if (!key.starts_with("network.")) continue;
        const auto found = other.metadata().find(key);
        const std::string theirs = found == other.metadata().end() ? "nothing" : found->second;
        if (theirs != value)
            fail(ErrorKind::Checkpoint, "cannot average ", other.path(), ": its ", key, " is ",
                 theirs, ", that of ", first.path(), " is ", value);
    }
}

const TensorInfo& same_tensor(const WeightsFile& other, const TensorInfo& tensor) {
    const TensorInfo* found = other.find(tensor.name);
    if (found == nullptr)
        fail(ErrorKind::Checkpoint, "cannot average ", other.path(), ": it has no ", tensor.name);
    if (found->shape != tensor.shape || found->dtype != tensor.dtype)
        fail(ErrorKind::Checkpoint, "cannot average ", other.path(), ": its ", tensor.name,
             " is of another shape or type");
    return *found;
}

template <class T>
std::vector<std::byte> mean_of(const std::vector<std::vector<std::byte>>& files) {
    std::vector<std::byte> out(files[0].size());
    for (size_t at = 0; at < out.size(); at += sizeof(T)) {
        double sum = 0;
        for (const std::vector<std::byte>& file : files) {
            T value;
            std::memcpy(&value, file.data() + at, sizeof value);
            sum += static_cast<double>(static_cast<float>(value));
        }
        const T mean(static_cast<float>(sum / static_cast<double>(files.size())));
        std::memcpy(out.data() + at, &mean, sizeof mean);
    }
    return out;
}

std::vector<std::byte> mean_of(const std::vector<std::vector<std::byte>>& files, DType type) {
    if (type == DType::F32) return mean_of<float>(files);
    if (type == DType::F16) return mean_of<cv::float16_t>(files);
    return files[0];
}

}  // namespace

void average_weights(std::span<const std::string> inputs, const std::string& output,
                     const std::map<std::string, std::string>& changes) {
    if (inputs.size() < 2) fail(ErrorKind::Config, "an average needs two weights files or more");
    std::vector<WeightsFile> files;
    for (const std::string& path : inputs) files.push_back(open_weights(path));
    for (const WeightsFile& file : files) {
        check_settings(files[0], file);
        if (file.tensors().size() != files[0].tensors().size())
            fail(ErrorKind::Checkpoint, "cannot average ", file.path(), ": it holds ",
                 file.tensors().size(), " tensors, ", files[0].path(), " holds ",
                 files[0].tensors().size());
    }
    std::vector<TensorBytes> tensors;
    std::vector<std::vector<std::byte>> means;
    means.reserve(files[0].tensors().size());
    for (const TensorInfo& tensor : files[0].tensors()) {
        std::vector<std::vector<std::byte>> bytes;
        for (const WeightsFile& file : files)
            bytes.push_back(row_major_bytes(file, same_tensor(file, tensor)));
        means.push_back(mean_of(bytes, tensor.dtype));
        tensors.push_back({tensor.name, tensor.dtype, tensor.shape, means.back()});
    }
    std::map<std::string, std::string> metadata = files[0].metadata();
    std::erase_if(metadata, [](const auto& note) { return note.first.starts_with("averaged."); });
    for (const auto& [key, value] : changes) metadata[key] = value;
    for (size_t i = 0; i < files.size(); ++i)
        metadata["averaged." + std::to_string(i)] = files[i].sha256();
    write_safetensors(output, tensors, metadata);
}

}  // namespace wsi
