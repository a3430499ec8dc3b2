#include "io/packed_column.h"

#include <algorithm>
#include <span>

#include "io/run_deflate.h"

namespace wsi::h5 {

namespace {
/// As HDF5's filters would store the chunk: all first bytes of the values, all second bytes, ...,
/// deflated. A block each: the bytes of a number's end are nearly random, those of its start few.
std::vector<uint8_t> packed(std::span<const uint8_t> chunk, size_t value_bytes) {
    RunDeflater out;
    std::vector<uint8_t> plane(chunk.size() / value_bytes);
    for (size_t byte = 0; byte < value_bytes; ++byte) {
        for (size_t i = 0; i < plane.size(); ++i) plane[i] = chunk[i * value_bytes + byte];
        out.add_block(plane);
    }
    return out.finish();
}
}  // namespace

PackedColumn::PackedColumn(hid_t parent, const std::string& name, hid_t type, hsize_t width,
                           hsize_t chunk_rows)
    : column_(parent, name, type, width, chunk_rows),
      name_(name),
      value_bytes_(H5Tget_size(type)),
      row_bytes_(width * value_bytes_),
      width_(width),
      chunk_(chunk_rows * row_bytes_) {}

void PackedColumn::append(const void* rows, hsize_t count) {
    const auto* from = static_cast<const uint8_t*>(rows);
    for (size_t left = count * row_bytes_; left > 0;) {
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
    const hsize_t size[2] = {rows_ + filled_ / row_bytes_, width_}, first[2] = {rows_, 0};
    check(H5Dset_extent(id(), size), "cannot grow dataset", name_);
    std::fill(chunk_.begin() + static_cast<ptrdiff_t>(filled_), chunk_.end(), uint8_t{0});
    const std::vector<uint8_t> bytes = packed(chunk_, value_bytes_);
    check(H5Dwrite_chunk(id(), H5P_DEFAULT, 0, first, bytes.size(), bytes.data()),
          "cannot write dataset", name_);
    if (filled_ < chunk_.size()) return;
    rows_ = size[0];
    filled_ = 0;
}

}  // namespace wsi::h5
