#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace wsi {

/// A file inside a ZIP archive that stands there uncompressed.
struct ZipEntry {
    std::string_view name;  ///< a view into the archive
    uint64_t offset = 0;    ///< of its first byte, from the start of the archive
    uint64_t size = 0;      ///< in bytes
};

/// Lists a ZIP archive (APPNOTE.TXT 6.3, ZIP64 too) by its central directory, sorted by name.
/// Throws Error{Checkpoint} on compressed, encrypted or split entries, on names given twice, and on
/// any offset or size that leaves the archive. Checksums of entries are not verified.
std::vector<ZipEntry> read_zip_index(std::span<const std::byte> archive);

/// Null when there is no entry of that name.
const ZipEntry* find_entry(const std::vector<ZipEntry>& sorted, std::string_view name);

}  // namespace wsi
