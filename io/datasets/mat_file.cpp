#include "io/datasets/mat_file.h"

#include <cmath>

#include "io/datasets/bytes.h"
#include "io/mapped_file.h"

namespace wsi {

namespace {

// "MAT-File Format", MathWorks: data types of elements.
enum Type : uint32_t {
    kInt8 = 1,
    kUint8,
    kInt16,
    kUint16,
    kInt32,
    kUint32,
    kSingle,
    kDouble = 9,
    kInt64 = 12,
    kUint64,
    kMatrix,
    kCompressed
};
constexpr size_t kHeaderBytes = 128;
constexpr size_t kMostBytes = size_t{1} << 30;

/// A tagged piece of the file. Up to four bytes of content stand in the tag itself.
struct Element {
    uint32_t type;
    Bytes content;
    size_t next;  ///< offset of the element behind it
};

Element element_at(const Bytes& from, size_t offset) {
    const auto tag = from.little<uint32_t>(offset);
    if (tag >> 16 != 0) return {tag & 0xFFFF, from.part(offset + 4, tag >> 16), offset + 8};
    const size_t size = from.little<uint32_t>(offset + 4);
    const Bytes content = from.part(offset + 8, size);
    const size_t padded = tag == kCompressed ? size : (size + 7) / 8 * 8;
    return {tag, content, offset + 8 + padded};
}

double number(const Element& e, size_t i) {
    switch (e.type) {
        case kInt8: return e.content.little<int8_t>(i);
        case kUint8: return e.content.little<uint8_t>(i);
        case kInt16: return e.content.little<int16_t>(2 * i);
        case kUint16: return e.content.little<uint16_t>(2 * i);
        case kInt32: return e.content.little<int32_t>(4 * i);
        case kUint32: return e.content.little<uint32_t>(4 * i);
        case kSingle: return e.content.little<float>(4 * i);
        case kDouble: return e.content.little<double>(8 * i);
        case kInt64: return static_cast<double>(e.content.little<int64_t>(8 * i));
        case kUint64: return static_cast<double>(e.content.little<uint64_t>(8 * i));
        default: fail(ErrorKind::Config, e.content.path(), ": array elements of type ", e.type);
    }
}

/// Flags, dimensions and name come first; then the numbers, column by column.
bool read_matrix(const Bytes& matrix, const std::string& array, Image<uint32_t>& out) {
    const Element flags = element_at(matrix, 0);
    const Element dimensions = element_at(matrix, flags.next);
    const Element name = element_at(matrix, dimensions.next);
    if (name.content.text(0, name.content.size()) != array) return false;
    const Element values = element_at(matrix, name.next);
    if (dimensions.content.size() != 8)
        fail(ErrorKind::Config, matrix.path(), ": ", array, " has ", dimensions.content.size() / 4,
             " dimensions; expected 2");
    const int64_t height = dimensions.content.little<int32_t>(0);
    const int64_t width = dimensions.content.little<int32_t>(4);
    if (height < 0 || width < 0 || static_cast<size_t>(height * width) > kMostBytes)
        fail(ErrorKind::Config, matrix.path(), ": ", array, " is ", height, "x", width);
    values.content.part(0, static_cast<size_t>(height * width));  // before memory is taken for it
    out.resize(width, height);
    for (int64_t x = 0; x < width; ++x)
        for (int64_t y = 0; y < height; ++y) {
            const double v = number(values, static_cast<size_t>(x * height + y));
            if (!(v >= 0 && v <= 4294967295.0) || v != std::floor(v))
                fail(ErrorKind::Config, matrix.path(), ": ", array, " holds ", v,
                     "; expected whole numbers from 0");
            out(x, y) = static_cast<uint32_t>(v);
        }
    return true;
}

/// The matrix inside a compressed element: its tag says how long it is.
std::vector<std::byte> inflated(const Bytes& packed) {
    const std::vector<std::byte> tag = inflate_bytes(packed, 8, Wrapping::Zlib);
    const size_t size = Bytes(tag, packed.path()).little<uint32_t>(4);
    if (size > kMostBytes) fail(ErrorKind::Config, packed.path(), ": an array of ", size, " bytes");
    return inflate_bytes(packed, size + 8, Wrapping::Zlib);
}

}  // namespace

Image<uint32_t> read_mat_labels(const std::string& path, const std::string& array) {
    const MappedFile mapped(path);
    const Bytes file(mapped.bytes(), path);
    if (file.size() < kHeaderBytes || file.text(126, 2) != "IM")
        fail(ErrorKind::Config, path, ": not a little-endian MATLAB 5 file");
    if (file.little<uint16_t>(124) != 0x0100)
        fail(ErrorKind::Config, path, ": a MATLAB 7.3 file; save it again with -v7");
    Image<uint32_t> out;
    for (size_t at = kHeaderBytes; at < file.size();) {
        const Element element = element_at(file, at);
        at = element.next;
        if (element.type == kCompressed) {
            const std::vector<std::byte> memory = inflated(element.content);
            const Element inner = element_at({memory, path}, 0);
            if (inner.type == kMatrix && read_matrix(inner.content, array, out)) return out;
        } else if (element.type == kMatrix && read_matrix(element.content, array, out)) {
            return out;
        }
    }
    fail(ErrorKind::Config, path, ": holds no array named ", array);
}

}  // namespace wsi
