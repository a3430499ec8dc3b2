#include "io/tiff_tiles.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>

namespace wsi {

namespace {

constexpr size_t kMostDirectories = 1000;
constexpr uint64_t kMostEntries = 4096;  // of a directory
constexpr size_t kMostNamed = 100;       // tiles of an image; of more, the whole image
constexpr uint16_t kWidth = 256, kHeight = 257, kTileWidth = 322, kTileHeight = 323,
                   kTileBytes = 325;
constexpr std::array kTags{kWidth, kHeight, kTileWidth, kTileHeight, kTileBytes};

/// The numbers of one tag, which lie in the file at `at`.
struct TagValues {
    size_t bytes_each = 0;
    uint64_t count = 0, at = 0;
};
using Directory = std::map<uint16_t, TagValues>;

class TiffFile {
public:
    explicit TiffFile(const std::string& path) : in_(path, std::ios::binary) {
        std::array<uint8_t, 16> head{};
        if (!bytes_at(0, head.data(), head.size())) return;
        big_endian_ = head[0] == 'M';
        if (head[0] != head[1] || (head[0] != 'I' && head[0] != 'M')) return;
        const uint64_t version = number(&head[2], 2);
        big_ = version == 43;
        if (version == 42) first_ = number(&head[4], 4);
        if (big_) first_ = number(&head[8], 8);
    }

    /// In the order of the file; ends where the chain is broken or comes back.
    std::vector<Directory> directories() {
        std::vector<Directory> found;
        std::set<uint64_t> seen{0};
        for (uint64_t at = first_; seen.insert(at).second && found.size() < kMostDirectories;) {
            Directory directory;
            at = read_directory(at, directory);
            found.push_back(std::move(directory));
        }
        return found;
    }

    uint64_t value(const Directory& directory, uint16_t tag) {
        const auto at = directory.find(tag);
        if (at == directory.end() || at->second.count != 1) return 0;
        uint64_t out = 0;
        for_each(at->second, 1, [&out](uint64_t, uint64_t v) { out = v; });
        return out;
    }

    /// Calls visit(index, number) for the first `most` numbers, read piece by piece.
    template <class Visit>
    void for_each(const TagValues& values, uint64_t most, Visit&& visit) {
        std::vector<uint8_t> piece(4096 * values.bytes_each);
        for (uint64_t i = 0; i < std::min(values.count, most);) {
            const uint64_t n = std::min<uint64_t>(4096, std::min(values.count, most) - i);
            if (!bytes_at(values.at + i * values.bytes_each, piece.data(), n * values.bytes_each))
                return;
            for (uint64_t k = 0; k < n; ++k, ++i)
                visit(i, number(&piece[k * values.bytes_each], values.bytes_each));
        }
    }

private:
    /// Where the next directory lies; 0 at the end.
    uint64_t read_directory(uint64_t at, Directory& out) {
        const size_t head = big_ ? 8 : 2, entry_bytes = big_ ? 20 : 12, word = big_ ? 8 : 4;
        std::array<uint8_t, 20> b{};
        if (!bytes_at(at, b.data(), head)) return 0;
        const uint64_t count = number(b.data(), head);
        if (count > kMostEntries) return 0;
        for (uint64_t i = 0; i < count; ++i) {
            const uint64_t entry = at + head + i * entry_bytes;
            if (!bytes_at(entry, b.data(), entry_bytes)) return 0;
            const uint64_t type = number(&b[2], 2);
            const size_t each = type == 3 ? 2 : type == 4 ? 4 : type == 16 ? 8 : 0;
            const auto tag = static_cast<uint16_t>(number(&b[0], 2));
            // Of the tags that matter here none is of another type.
            if (each == 0 || std::ranges::find(kTags, tag) == kTags.end()) continue;
            TagValues values{each, number(&b[4], word), entry + 4 + word};
            if (values.count > word / each) values.at = number(&b[4 + word], word);
            out.emplace(tag, values);
        }
        return bytes_at(at + head + count * entry_bytes, b.data(), word) ? number(b.data(), word)
                                                                         : 0;
    }

    bool bytes_at(uint64_t at, uint8_t* to, size_t count) {
        if (at > uint64_t{1} << 62) return false;
        in_.clear();
        in_.seekg(static_cast<std::streamoff>(at));
        in_.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count));
        return in_.good();
    }

    uint64_t number(const uint8_t* bytes, size_t count) const {
        uint64_t out = 0;
        for (size_t i = 0; i < count; ++i) out = out << 8 | bytes[big_endian_ ? i : count - 1 - i];
        return out;
    }

    std::ifstream in_;
    uint64_t first_ = 0;
    bool big_ = false, big_endian_ = false;
};

/// Pixels of 16 bits in four channels, and room for tables; compression makes it less, not more.
uint64_t most_bytes(PixelSize tile) {
    return 8 * static_cast<uint64_t>(tile.area()) + (uint64_t{1} << 20);
}

/// No product of two overflows then.
bool sides_within(PixelSize size, int64_t most) {
    return size.width > 0 && size.height > 0 && size.width < most && size.height < most;
}

}  // namespace

std::vector<OversizedTile> oversized_tiles(const std::string& path) {
    std::vector<OversizedTile> found;
    TiffFile file(path);
    for (const Directory& directory : file.directories()) {
        const auto side = [&](uint16_t tag) {
            return static_cast<int64_t>(std::min(file.value(directory, tag), uint64_t{1} << 32));
        };
        const PixelSize level{side(kWidth), side(kHeight)};
        const PixelSize tile{side(kTileWidth), side(kTileHeight)};
        const auto sizes = directory.find(kTileBytes);
        if (!sides_within(level, int64_t{1} << 31) || !sides_within(tile, int64_t{1} << 24) ||
            sizes == directory.end())
            continue;
        const int64_t columns = ceil_div(level.width, tile.width);
        const auto tiles = static_cast<uint64_t>(columns * ceil_div(level.height, tile.height));
        size_t named = 0;
        file.for_each(sizes->second, tiles, [&](uint64_t i, uint64_t bytes) {
            const auto index = static_cast<int64_t>(i);
            if (bytes <= most_bytes(tile) || ++named > kMostNamed + 1) return;
            if (named > kMostNamed)
                found.push_back({level, {0, 0, level.width, level.height}, bytes});
            else
                found.push_back({level,
                                 {index % columns * tile.width, index / columns * tile.height,
                                  tile.width, tile.height},
                                 bytes});
        });
    }
    return found;
}

}  // namespace wsi
