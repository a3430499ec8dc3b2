#include "io/datasets/zip_file.h"

#include <algorithm>

#include "io/mapped_file.h"

namespace wsi {

namespace {

constexpr uint32_t kEndMark = 0x06054b50, kDirectoryMark = 0x02014b50, kLocalMark = 0x04034b50;
constexpr size_t kEndBytes = 22, kDirectoryBytes = 46, kLocalBytes = 30;
constexpr size_t kMostMemberBytes = size_t{64} << 20;

/// The end record stands at the end, before a comment of up to 64 KiB.
size_t find_end(const Bytes& file) {
    for (size_t back = kEndBytes; back <= std::min(file.size(), kEndBytes + 65535); ++back)
        if (file.little<uint32_t>(file.size() - back) == kEndMark) return file.size() - back;
    fail(ErrorKind::Config, file.path(), ": no ZIP archive, or a truncated one");
}

std::vector<std::byte> member(const Bytes& file, size_t entry, const std::string& name) {
    const auto flags = file.little<uint16_t>(entry + 8), method = file.little<uint16_t>(entry + 10);
    const size_t packed = file.little<uint32_t>(entry + 20),
                 size = file.little<uint32_t>(entry + 24);
    const size_t local = file.little<uint32_t>(entry + 42);
    if ((flags & 1) != 0 || (method != 0 && method != 8) || size > kMostMemberBytes)
        fail(ErrorKind::Config, file.path(), ": ", name,
             " is encrypted, too large or packed in an unknown way");
    if (file.little<uint32_t>(local) != kLocalMark)
        fail(ErrorKind::Config, file.path(), ": ", name, " is not where the directory says");
    const size_t start =
        local + kLocalBytes + file.little<uint16_t>(local + 26) + file.little<uint16_t>(local + 28);
    const Bytes content = file.part(start, packed);
    if (method == 8) return inflate_bytes(content, size, Wrapping::Raw);
    return {content.data(), content.data() + content.size()};
}

}  // namespace

std::vector<std::pair<std::string, std::vector<std::byte>>> read_zip(const std::string& path) {
    const MappedFile mapped(path);
    const Bytes file(mapped.bytes(), path);
    const size_t end = find_end(file);
    std::vector<std::pair<std::string, std::vector<std::byte>>> members;
    size_t at = file.little<uint32_t>(end + 16);
    for (int left = file.little<uint16_t>(end + 10); left > 0; --left) {
        if (file.little<uint32_t>(at) != kDirectoryMark)
            fail(ErrorKind::Config, path, ": the archive's directory is damaged");
        const size_t name_bytes = file.little<uint16_t>(at + 28);
        const std::string name = file.text(at + kDirectoryBytes, name_bytes);
        if (!name.ends_with('/')) members.emplace_back(name, member(file, at, name));
        at += kDirectoryBytes + name_bytes + file.little<uint16_t>(at + 30) +
              file.little<uint16_t>(at + 32);
    }
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return members;
}

}  // namespace wsi
