#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5_file.h"

namespace wsi::h5 {

/// A dataset of `width` fixed-size values per row that grows; shuffle + deflate. Unlike Column it
/// compresses its chunks itself, which takes half the time in tables of many columns. The chunk
/// being filled is in memory until flush(), which the last rows need.
class PackedColumn {
public:
    PackedColumn(hid_t parent, const std::string& name, hid_t type, hsize_t width,
                 hsize_t chunk_rows);
    void append(const void* rows, hsize_t count);
    /// Everything appended so far can be read; a chunk that is not full yet is written again later.
    void flush();
    hid_t id() const { return column_.id(); }

private:
    Column column_;
    std::string name_;
    size_t value_bytes_, row_bytes_;
    hsize_t width_;
    std::vector<uint8_t> chunk_;
    size_t filled_ = 0;  // bytes of chunk_
    hsize_t rows_ = 0;   // in full chunks
};

}  // namespace wsi::h5
