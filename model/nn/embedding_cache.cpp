#include "model/nn/embedding_cache.h"

#include <unistd.h>

#include <filesystem>

#include "config/error.h"
#include "config/version.h"
#include "io/sha.h"
#include "model/nn/state.h"

namespace wsi::nn {

namespace fs = std::filesystem;

namespace {

constexpr const char* kName = "embedding";

std::string name_of(const ContextEncoder& encoder, ConstRgbView rgb) {
    Sha256 hash;
    const std::string header = encoder.identity() + " " + kResultsVersion + " " +
                               std::to_string(rgb.width) + "x" + std::to_string(rgb.height);
    hash.add({reinterpret_cast<const uint8_t*>(header.data()), header.size()});
    for (int64_t y = 0; y < rgb.height; ++y)
        hash.add({rgb.row(y), static_cast<size_t>(3 * rgb.width)});
    return hex(hash.digest()) + ".safetensors";
}

/// Undefined when the file is not there or not whole.
at::Tensor kept(const std::string& path) {
    if (!fs::is_regular_file(path)) return {};
    try {
        const StateDict tensors = read_state(path).tensors;
        const auto found = tensors.find(kName);
        return found == tensors.end() ? at::Tensor() : found->second;
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

EmbeddingCache::EmbeddingCache(const std::string& folder, double most_gb)
    : folder_(folder == "none" ? "" : folder), bytes_left_(most_gb * 1e9) {
    if (folder_.empty()) return;
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
        fail(ErrorKind::Config, "train.embedding_cache = '", folder_, "': ", error.message());
    for (const auto& entry : fs::directory_iterator(folder_))
        if (entry.is_regular_file()) bytes_left_ -= static_cast<double>(entry.file_size());
}

at::Tensor EmbeddingCache::embed(const ContextEncoder& encoder, ConstRgbView rgb) {
    // Rows after rows, as a file has them: another order in memory would round differently.
    if (folder_.empty()) return encoder.embed(rgb).contiguous();
    const std::string path = (fs::path(folder_) / name_of(encoder, rgb)).string();
    at::Tensor embedding = kept(path);
    if (embedding.defined()) return embedding;
    embedding = encoder.embed(rgb).contiguous();
    keep(embedding, path);
    return embedding;
}

/// First under a name of this process alone, since others may be making the same.
void EmbeddingCache::keep(const at::Tensor& embedding, const std::string& path) {
    if (static_cast<double>(embedding.nbytes()) > bytes_left_) return;
    const std::string own = path + "." + std::to_string(getpid());
    write_state(own, {{kName, embedding}}, {});
    fs::rename(own, path);
    bytes_left_ -= static_cast<double>(embedding.nbytes());
}

}  // namespace wsi::nn
