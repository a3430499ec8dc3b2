#include "io/packed_column.h"

#include <zlib.h>

#include <algorithm>

namespace wsi::h5 {

namespace {
/// What HDF5's shuffle filter makes of a chunk: all first bytes of the values, all second bytes,
/// ...
std::vector<uint8_t> shuffled(const std::vector<uint8_t>& chunk, size_t value_bytes) {
    std::vector<uint8_t> planes(chunk.size());
    const size_t values = chunk.size() / value_bytes;
    for (size_t byte = 0; byte < value_bytes; ++byte)
        for (size_t i = 0; i < values; ++i)
            planes[byte * values + i] = chunk[i * value_bytes + byte];
    return planes;
}

/// Matches runs alone: on shuffled numbers that leaves less than zlib's fastest level does.
std::vector<uint8_t> deflated(std::vector<uint8_t> bytes) {
    z_stream stream{};
    constexpr int kWindowBits = 15, kMemory = 8;
    WSI_CHECK(deflateInit2(&stream, 1, Z_DEFLATED, kWindowBits, kMemory, Z_RLE) == Z_OK);
    std::vector<uint8_t> out(deflateBound(&stream, bytes.size()));
    stream.next_in = bytes.data();
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    WSI_CHECK(result == Z_STREAM_END);
    return out;
}
}  // namespace

PackedColumn::PackedColumn(hid_t parent, const std::string& name, hid_t type, hsize_t chunk_rows)
    : column_(parent, name, type, 1, chunk_rows),
      name_(name),
      value_bytes_(H5Tget_size(type)),
      chunk_(chunk_rows * value_bytes_) {}

void PackedColumn::append(const void* rows, hsize_t count) {
    const auto* from = static_cast<const uint8_t*>(rows);
    for (size_t left = count * value_bytes_; left > 0;) {
        const size_t part = std::min(left, chunk_.size() - filled_);
        std::copy_n(from, part, chunk_.data() + filled_);
        from += part;
        left -= part;
        filled_ += part;
        if (filled_ == chunk_.size()) flush();
    }
}

void PackedColumn::flush() {
    if (filled_ == 0) return;
    const hsize_t size = rows_ + filled_ / value_bytes_;
    check(H5Dset_extent(id(), &size), "cannot grow dataset", name_);
    std::fill(chunk_.begin() + static_cast<ptrdiff_t>(filled_), chunk_.end(), uint8_t{0});
    const std::vector<uint8_t> bytes = deflated(shuffled(chunk_, value_bytes_));
    check(H5Dwrite_chunk(id(), H5P_DEFAULT, 0, &rows_, bytes.size(), bytes.data()),
          "cannot write dataset", name_);
    if (filled_ < chunk_.size()) return;
    rows_ = size;
    filled_ = 0;
}

}  // namespace wsi::h5
