#include <zlib.h>

#include "io/datasets/bytes.h"

namespace wsi {

namespace {
constexpr size_t kMostRatio = 1032;  // of deflate, by its format
}

std::vector<std::byte> inflate_bytes(const Bytes& from, size_t size, Wrapping wrapping) {
    if (size / kMostRatio > from.size() + 1)
        fail(ErrorKind::Config, from.path(), ": ", from.size(), " compressed bytes cannot hold ",
             size);
    std::vector<std::byte> out(size);
    z_stream stream{};
    if (inflateInit2(&stream, wrapping == Wrapping::Zlib ? MAX_WBITS : -MAX_WBITS) != Z_OK)
        fail(ErrorKind::Device, "zlib: out of memory");
    std::vector<std::byte> input(from.data(), from.data() + from.size());
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream, Z_FINISH);
    const size_t written = out.size() - stream.avail_out;
    inflateEnd(&stream);
    // Z_BUF_ERROR with a full buffer: the caller wanted the beginning only.
    if (result != Z_STREAM_END && !(result == Z_BUF_ERROR && written == size))
        fail(ErrorKind::Config, from.path(), ": compressed data is damaged");
    out.resize(written);
    return out;
}

}  // namespace wsi
