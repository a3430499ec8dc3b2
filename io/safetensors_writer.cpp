#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "config/error.h"
#include "io/atomic_path.h"
#include "io/safetensors.h"

namespace wsi {

namespace {

/// An output file, closed at the end of scope.
class OutputFile {
public:
    explicit OutputFile(const AtomicPath& target)
        : path_(target.path()),
          fd_(::open(target.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
        if (fd_ < 0) output_error(path_, "create", errno);
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    void write(const void* bytes, size_t count) {
        const auto* p = static_cast<const char*>(bytes);
        while (count > 0) {
            const ssize_t n = ::write(fd_, p, count);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) output_error(path_, "write", errno);
            p += n;
            count -= static_cast<size_t>(n);
        }
    }
    void close() {
        if (::close(std::exchange(fd_, -1)) != 0) output_error(path_, "finish", errno);
    }

private:
    std::string path_;
    int fd_;
};

/// In the order of their data.
std::vector<const TensorBytes*> data_order(std::span<const TensorBytes> tensors) {
    std::vector<const TensorBytes*> order;
    for (const TensorBytes& t : tensors) order.push_back(&t);
    std::ranges::sort(order, [](const TensorBytes* a, const TensorBytes* b) {
        const size_t x = bytes_per_element(a->dtype), y = bytes_per_element(b->dtype);
        return x != y ? x > y : a->name < b->name;
    });
    return order;
}

/// Names and metadata must be UTF-8: JSON knows nothing else.
std::string json_text(const nlohmann::json& header) {
    try {
        return header.dump();
    } catch (const nlohmann::json::exception& error) {
        fail(ErrorKind::Checkpoint,
             "cannot name these tensors in a safetensors file: ", error.what());
    }
}

/// The header with its padding: spaces up to a multiple of 8, so that data starts aligned.
std::string header_text(const std::vector<const TensorBytes*>& order,
                        const std::map<std::string, std::string>& metadata) {
    nlohmann::json header = nlohmann::json::object();  // sorts its keys
    if (!metadata.empty()) header["__metadata__"] = metadata;
    uint64_t at = 0;
    for (const TensorBytes* t : order) {
        const auto count = checked_elements(t->shape);
        WSI_CHECK(
            count && static_cast<uint64_t>(*count) * bytes_per_element(t->dtype) == t->bytes.size(),
            "tensor ", t->name, " has ", t->bytes.size(), " bytes");
        WSI_CHECK(t->name != "__metadata__" && !header.contains(t->name), "tensor name ", t->name);
        header[t->name] = {{"dtype", dtype_name(t->dtype)},
                           {"shape", t->shape},
                           {"data_offsets", {at, at + t->bytes.size()}}};
        at += t->bytes.size();
    }
    std::string text = json_text(header);
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata) {
    const auto order = data_order(tensors);
    const std::string header = header_text(order, metadata);
    const uint64_t length = header.size();
    AtomicPath target(path);
    OutputFile file(target);
    file.write(&length, sizeof length);
    file.write(header.data(), header.size());
    for (const TensorBytes* t : order) file.write(t->bytes.data(), t->bytes.size());
    file.close();
    target.commit();
}

}  // namespace wsi
