#include "io/zip_index.h"

#include <algorithm>
#include <cstring>

#include "config/error.h"
#include "io/shown.h"

namespace wsi {

namespace {

// Signatures and fixed lengths of the format's records.
constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56;
constexpr uint64_t kLocatorBytes = 20, kLongestComment = 65535;
constexpr uint32_t kIn64 = 0xffffffff;  // "the true value is in the ZIP64 field"

[[noreturn]] void damaged(const auto&... parts) {
    fail(ErrorKind::Checkpoint, "the ZIP archive ", parts...,
         "; it is cut short or damaged, fetch it again");
}

/// The archive's bytes; every access is checked.
class Archive {
public:
    explicit Archive(std::span<const std::byte> bytes) : bytes_(bytes) {}
    uint64_t size() const { return bytes_.size(); }
    bool holds(uint64_t at, uint64_t count) const {
        return at <= bytes_.size() && count <= bytes_.size() - at;
    }
    template <class Number>
    Number number(uint64_t at) const {
        if (!holds(at, sizeof(Number))) damaged("ends inside a record at byte ", at);
        Number value;
        std::memcpy(&value, bytes_.data() + at, sizeof value);
        return value;
    }
    std::string_view text(uint64_t at, uint64_t count) const {
        if (!holds(at, count)) damaged("ends inside a name at byte ", at);
        return {reinterpret_cast<const char*>(bytes_.data() + at), count};
    }

private:
    std::span<const std::byte> bytes_;
};

struct Directory {
    uint64_t offset, size, entries;
};

/// The end record is the last thing in the file but for a comment, whose length it states.
uint64_t find_end(const Archive& archive) {
    if (archive.size() < kEndBytes) damaged("has only ", archive.size(), " bytes");
    const uint64_t last = archive.size() - kEndBytes;
    for (uint64_t back = 0; back <= std::min(last, kLongestComment); ++back)
        if (archive.number<uint32_t>(last - back) == kEnd &&
            archive.number<uint16_t>(last - back + 20) == back)
            return last - back;
    damaged("lacks its directory, which stands at the end");
}

Directory find_directory(const Archive& archive) {
    const uint64_t end = find_end(archive);
    if (archive.number<uint32_t>(end + 4) != 0 && archive.number<uint32_t>(end + 4) != kIn64)
        damaged("is one part of several");
    Directory found{archive.number<uint32_t>(end + 16), archive.number<uint32_t>(end + 12),
                    archive.number<uint16_t>(end + 10)};
    uint64_t limit = end;
    if (end >= kLocatorBytes && archive.number<uint32_t>(end - kLocatorBytes) == kLocator64) {
        const auto end64 = archive.number<uint64_t>(end - kLocatorBytes + 8);
        if (!archive.holds(end64, kEnd64Bytes) || archive.number<uint32_t>(end64) != kEnd64)
            damaged("points to a ZIP64 record at byte ", end64, " that is not there");
        found = {archive.number<uint64_t>(end64 + 48), archive.number<uint64_t>(end64 + 40),
                 archive.number<uint64_t>(end64 + 32)};
        limit = end64;
    }
    if (found.offset > limit || found.size > limit - found.offset)
        damaged("has its directory at bytes ", found.offset, " + ", found.size, " of ", limit);
    if (found.entries > found.size / kCentralBytes)
        damaged("announces ", found.entries, " entries in a directory of ", found.size, " bytes");
    return found;
}

/// One record of the central directory.
struct Record {
    std::string_view name;
    uint64_t packed, size, local, next;
    uint16_t flags, method;
};

/// Takes from the ZIP64 field the numbers that did not fit in 32 bits, in the field's fixed order.
void widen(const Archive& archive, uint64_t at, uint64_t end, Record& record) {
    while (at + 4 <= end) {
        const auto id = archive.number<uint16_t>(at), length = archive.number<uint16_t>(at + 2);
        uint64_t value = at + 4;
        const uint64_t stop = std::min<uint64_t>(end, value + length);
        for (uint64_t* number : {&record.size, &record.packed, &record.local}) {
            if (id != 1 || *number != kIn64) continue;
            if (value + 8 > stop) damaged("has a short ZIP64 field for ", shown(record.name));
            *number = archive.number<uint64_t>(value);
            value += 8;
        }
        at += uint64_t{4} + length;
    }
}

Record read_record(const Archive& archive, uint64_t at) {
    if (!archive.holds(at, kCentralBytes) || archive.number<uint32_t>(at) != kCentral)
        damaged("has no directory record at byte ", at);
    const auto name = archive.number<uint16_t>(at + 28), extra = archive.number<uint16_t>(at + 30),
               comment = archive.number<uint16_t>(at + 32);
    Record record{archive.text(at + kCentralBytes, name),
                  archive.number<uint32_t>(at + 20),
                  archive.number<uint32_t>(at + 24),
                  archive.number<uint32_t>(at + 42),
                  at + kCentralBytes + name + extra + comment,
                  archive.number<uint16_t>(at + 8),
                  archive.number<uint16_t>(at + 10)};
    const uint64_t fields = at + kCentralBytes + name;
    widen(archive, fields, fields + extra, record);
    return record;
}

/// Where the entry's bytes lie; its local header must tell the same story as the directory.
ZipEntry locate(const Archive& archive, const Record& record, uint64_t directory) {
    constexpr uint16_t kEncrypted = 1;
    if (record.method != 0 || record.packed != record.size)
        fail(ErrorKind::Checkpoint, "the ZIP entry ", shown(record.name),
             " is compressed, expected stored bytes as torch.save writes them; save it again "
             "with torch.save");
    if ((record.flags & kEncrypted) != 0) damaged("has the encrypted entry ", shown(record.name));
    const uint64_t at = record.local;
    if (!archive.holds(at, kLocalBytes) || archive.number<uint32_t>(at) != kLocal)
        damaged("has no entry at byte ", at, ", expected ", shown(record.name));
    const auto name = archive.number<uint16_t>(at + 26), extra = archive.number<uint16_t>(at + 28);
    if (archive.number<uint16_t>(at + 8) != 0 ||
        archive.text(at + kLocalBytes, name) != record.name)
        damaged("has another entry at byte ", at, ", expected ", shown(record.name));
    const uint64_t offset = at + kLocalBytes + name + extra;
    if (offset > directory || record.size > directory - offset)
        damaged("has the entry ", shown(record.name), " of ", record.size, " bytes at byte ",
                offset, ", beyond its ", directory, " bytes of data");
    return {record.name, offset, record.size};
}

}  // namespace

std::vector<ZipEntry> read_zip_index(std::span<const std::byte> bytes) {
    const Archive archive(bytes);
    const Directory directory = find_directory(archive);
    std::vector<ZipEntry> entries;
    uint64_t at = directory.offset;
    for (uint64_t i = 0; i < directory.entries; ++i) {
        const Record record = read_record(archive, at);
        if (!record.name.ends_with('/'))  // folders hold nothing
            entries.push_back(locate(archive, record, directory.offset));
        at = record.next;
    }
    std::ranges::sort(entries, {}, &ZipEntry::name);
    const auto twice = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
    if (twice != entries.end()) damaged("has the entry ", shown(twice->name), " twice");
    return entries;
}

const ZipEntry* find_entry(const std::vector<ZipEntry>& sorted, std::string_view name) {
    const auto found = std::ranges::lower_bound(sorted, name, {}, &ZipEntry::name);
    return found != sorted.end() && found->name == name ? &*found : nullptr;
}

}  // namespace wsi
