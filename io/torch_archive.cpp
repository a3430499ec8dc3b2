#include "io/torch_archive.h"

#include <algorithm>
#include <string>

#include "config/error.h"
#include "io/pickle_machine.h"
#include "io/shown.h"
#include "io/torch_state_dict.h"
#include "io/weights_names.h"
#include "io/zip_index.h"

namespace wsi {

namespace {

using Kind = PickleNode::Kind;
constexpr size_t kMostDimensions = 64;  // PyTorch's own limit
// One tensor and one long name may be listed a million times in a small pickle; models have some
// thousand tensors with names of some dozen bytes.
constexpr size_t kMostTensors = 100'000, kLongestName = 1000;

[[noreturn]] void refuse(std::string_view name, const auto&... parts) {
    fail(ErrorKind::Checkpoint, "tensor ", shown(name), ": ", parts...,
         "; the file is damaged or was not made by torch.save, fetch it again");
}

/// The archive's entries and the name of its one folder, with a slash.
struct Archive {
    std::vector<ZipEntry> entries;
    std::string root;
    const ZipEntry* find(std::string_view name) const {
        return find_entry(entries, root + std::string(name));
    }
};

Archive open_archive(std::span<const std::byte> file) {
    Archive archive{read_zip_index(file), {}};
    for (const ZipEntry& entry : archive.entries) {
        const size_t slash = entry.name.find('/');
        if (slash == std::string_view::npos || entry.name.substr(slash + 1) != "data.pkl") continue;
        if (!archive.root.empty())
            fail(ErrorKind::Checkpoint, "holds two checkpoints, ", shown(archive.root), " and ",
                 shown(entry.name), "; expected one");
        archive.root = entry.name.substr(0, slash + 1);
    }
    if (archive.root.empty())
        fail(ErrorKind::Checkpoint,
             "is a ZIP archive without data.pkl, expected one of torch.save; if the checkpoint was "
             "zipped once more, unzip it");
    if (archive.find("constants.pkl") != nullptr)
        fail(
            ErrorKind::Checkpoint,
            "is a TorchScript program, expected weights; save module.state_dict() with torch.save");
    return archive;
}

std::span<const std::byte> bytes_of(std::span<const std::byte> file, const ZipEntry& entry) {
    return file.subspan(entry.offset, entry.size);
}

void check_byte_order(std::span<const std::byte> file, const Archive& archive) {
    const ZipEntry* entry = archive.find("byteorder");
    if (entry == nullptr) return;  // absent before PyTorch 2.1: little
    const auto bytes = bytes_of(file, *entry);
    const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (order != "little")
        fail(ErrorKind::Checkpoint, "has the byte order ", shown(order),
             ", expected 'little'; save it again on a little-endian machine");
}

/// A tensor's size or stride: a tuple of integers.
std::vector<int64_t> integers(const Pickle& pickle, uint32_t id, std::string_view name) {
    const PickleNode& tuple = pickle.nodes[id];
    if (tuple.kind != Kind::Tuple || tuple.children.size() > kMostDimensions)
        refuse(name, "has ", kind_name(tuple.kind), " of ", tuple.children.size(),
               " as size or stride, expected a tuple of up to ", kMostDimensions);
    std::vector<int64_t> out;
    for (const uint32_t child : tuple.children) {
        const PickleNode& number = pickle.nodes[child];
        if (number.kind != Kind::Int || number.integer < 0)
            refuse(name, "has ", kind_name(number.kind), " ", number.integer,
                   " in its size or stride, expected integers from 0");
        out.push_back(number.integer);
    }
    return out;
}

/// Do the first and the last element lie in a storage of so many elements, and are there no more
/// elements than it has? The latter refuses a billion copies of one element (strides of 0).
bool fits(const TensorInfo& tensor, int64_t first, int64_t storage) {
    const auto count = checked_elements(tensor.shape);
    if (!count || *count > storage || first < 0 || first > storage) return false;
    if (*count == 0) return true;
    int64_t last = first;
    for (size_t d = 0; d < tensor.shape.size(); ++d) {
        int64_t step = 0;
        if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    }
    return last < storage;
}

/// The entry with a storage's bytes, exactly as many as it has elements.
const ZipEntry& storage_entry(const Archive& archive, const PickleNode& storage,
                              std::string_view name) {
    const ZipEntry* entry = archive.find("data/" + std::string(storage.text));
    if (entry == nullptr)
        refuse(name, "lies in the storage ", shown(storage.text), ", which is not in the archive");
    const uint64_t size = bytes_per_element(storage.dtype);
    if (storage.integer < 0 || entry->size % size != 0 ||
        entry->size / size != static_cast<uint64_t>(storage.integer))
        refuse(name, "lies in the storage ", shown(storage.text), " of ", storage.integer,
               " elements of ", size, " bytes, but that has ", entry->size, " bytes");
    return *entry;
}

/// Arguments of _rebuild_tensor_v2: storage, offset, size, stride, requires_grad, hooks, metadata.
TensorInfo tensor_info(const Archive& archive, const Pickle& pickle, const PickleNode& made,
                       std::string_view name) {
    const PickleNode &storage = pickle.nodes[made.children[0]],
                     &first = pickle.nodes[made.children[1]];
    if (storage.kind != Kind::Storage || first.kind != Kind::Int)
        refuse(name, "is made of ", kind_name(storage.kind), " and ", kind_name(first.kind),
               ", expected a storage and an offset");
    if (made.children.size() > 6 && !pickle.nodes[made.children[6]].children.empty())
        refuse(name, "has flags (conjugated or negated), which are not supported");
    TensorInfo info{std::string(name), storage.dtype, integers(pickle, made.children[2], name),
                    integers(pickle, made.children[3], name), 0};
    const ZipEntry& entry = storage_entry(archive, storage, name);
    if (info.shape.size() != info.strides.size() || !fits(info, first.integer, storage.integer))
        refuse(name, "reaches beyond its storage of ", storage.integer,
               " elements, or has more elements than that");
    info.offset =
        entry.offset + static_cast<uint64_t>(first.integer) * bytes_per_element(info.dtype);
    return info;
}

std::vector<TensorInfo> tensors_of(const Archive& archive, const Pickle& pickle,
                                   const PickleNode& dict) {
    std::vector<TensorInfo> tensors;
    for (size_t i = 0; i < dict.children.size(); i += 2) {
        const PickleNode &key = pickle.nodes[dict.children[i]],
                         &value = pickle.nodes[dict.children[i + 1]];
        if (value.kind != Kind::Tensor) continue;
        if (key.kind != Kind::Text)
            fail(ErrorKind::Checkpoint, "names a tensor by ", kind_name(key.kind),
                 ", expected a text; save model.state_dict()");
        if (tensors.size() == kMostTensors || key.text.size() > kLongestName)
            refuse(key.text, "is one of more than ", kMostTensors,
                   " tensors, or its name has more than ", kLongestName, " bytes");
        tensors.push_back(tensor_info(archive, pickle, value, key.text));
    }
    return tensors;
}

void strip_and_sort(std::vector<TensorInfo>& tensors) {
    std::vector<std::string> names;
    for (const TensorInfo& t : tensors) names.push_back(t.name);
    strip_wrapper_names(names);
    for (size_t i = 0; i < tensors.size(); ++i) tensors[i].name = std::move(names[i]);
    std::ranges::sort(tensors, {}, &TensorInfo::name);
    const auto twice = std::ranges::adjacent_find(tensors, {}, &TensorInfo::name);
    if (twice != tensors.end()) refuse(twice->name, "is there twice");
}

}  // namespace

WeightsIndex read_torch_archive(std::span<const std::byte> file) {
    const Archive archive = open_archive(file);
    check_byte_order(file, archive);
    const Pickle pickle = read_pickle(bytes_of(file, *archive.find("data.pkl")));
    const PickleNode& dict = find_state_dict(pickle);
    WeightsIndex index;
    index.format = WeightsFormat::TorchArchive;
    index.tensors = tensors_of(archive, pickle, dict);
    index.settings = settings_around(pickle, dict);
    strip_and_sort(index.tensors);
    return index;
}

}  // namespace wsi
