#include "io/weights_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "config/error.h"
#include "io/safetensors.h"
#include "io/sha.h"
#include "io/shown.h"
#include "io/torch_archive.h"

namespace wsi {

static_assert(std::endian::native == std::endian::little, "weights are mapped as they lie on disk");

namespace {

/// Bytes from the first to the end of the last element.
uint64_t extent_bytes(const TensorInfo& tensor) {
    if (elements(tensor) == 0) return 0;
    uint64_t last = 0;
    for (size_t d = 0; d < tensor.shape.size(); ++d)
        last +=
            static_cast<uint64_t>(tensor.shape[d] - 1) * static_cast<uint64_t>(tensor.strides[d]);
    return (last + 1) * bytes_per_element(tensor.dtype);
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

WeightsIndex checked_index(const std::string& path, std::span<const std::byte> file) {
    return with_context([&] { return read_weights_index(file); }, path);
}

}  // namespace

WeightsIndex read_weights_index(std::span<const std::byte> file) {
    const std::string_view start = text_of(file.first(std::min<size_t>(file.size(), 16)));
    // Byte 8 of a ZIP file is the method of its first entry, which is never '{'.
    if (start.size() > 8 && start[8] == '{') return read_safetensors_index(file);
    if (start.starts_with("PK")) return read_torch_archive(file);
    // A pickle (PROTO 2 to 5) begins like this; so did torch.save's files before 1.6.
    if (start.size() > 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5)
        fail(ErrorKind::Checkpoint,
             "is a bare pickle, as torch.save wrote it before PyTorch 1.6, expected a later "
             "archive; "
             "load it in Python and save the state dict again");
    fail(ErrorKind::Checkpoint, "is not a weights file: it starts with ", shown(start),
         ", expected safetensors or an archive of torch.save (1.6 or later)");
}

WeightsFile::WeightsFile(const std::string& path)
    : path_(path), file_(path), index_(checked_index(path, file_.bytes())) {}

const TensorInfo* WeightsFile::find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(
        index_.tensors, name, {}, [](const TensorInfo& t) { return std::string_view(t.name); });
    return found != index_.tensors.end() && found->name == name ? &*found : nullptr;
}

std::span<const std::byte> WeightsFile::bytes(const TensorInfo& tensor) const {
    const uint64_t length = extent_bytes(tensor), size = file_.bytes().size();
    WSI_CHECK(tensor.offset <= size && length <= size - tensor.offset, "tensor ", tensor.name,
              " is not of ", path_);
    return file_.bytes().subspan(tensor.offset, length);
}

std::string WeightsFile::sha256() const {
    Sha256 sum;
    sum.add({reinterpret_cast<const uint8_t*>(file_.bytes().data()), file_.bytes().size()});
    return hex(sum.digest());
}

std::vector<std::byte> row_major_bytes(const WeightsFile& file, const TensorInfo& tensor) {
    const auto source = file.bytes(tensor);
    if (is_contiguous(tensor)) return {source.begin(), source.end()};
    const size_t size = bytes_per_element(tensor.dtype);
    std::vector<std::byte> out(static_cast<size_t>(elements(tensor)) * size);
    std::vector<int64_t> index(tensor.shape.size());
    size_t from = 0;  // in elements
    for (size_t to = 0; to < out.size(); to += size) {
        std::memcpy(&out[to], &source[from * size], size);
        for (size_t d = index.size(); d-- > 0;) {  // the next index, last dimension fastest
            const auto stride = static_cast<size_t>(tensor.strides[d]);
            from += stride;
            if (++index[d] < tensor.shape[d]) break;
            from -= stride * static_cast<size_t>(tensor.shape[d]);
            index[d] = 0;
        }
    }
    return out;
}

}  // namespace wsi
