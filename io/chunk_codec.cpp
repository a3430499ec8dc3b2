#include <zlib.h>

#include <algorithm>

#include "io/result_store.h"

namespace wsi {

namespace {

constexpr int kLevel = 1;  // labels and masks shrink a hundredfold at any level; 1 is fastest

std::vector<uint8_t> deflated(const std::vector<uint8_t>& bytes) {
    if (std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; })) return {};
    uLongf size = compressBound(bytes.size());
    std::vector<uint8_t> out(size);
    WSI_CHECK(compress2(out.data(), &size, bytes.data(), bytes.size(), kLevel) == Z_OK);
    out.resize(size);
    return out;
}

/// HDF5's shuffle filter: all first bytes of the values, then all second bytes, ...
template <class T>
std::vector<uint8_t> shuffled(ImageView<const T> pixels) {
    WSI_CHECK(pixels.width == kChunkPx && pixels.height == kChunkPx);
    const size_t n = static_cast<size_t>(kChunkPx) * kChunkPx;
    std::vector<uint8_t> out(n * sizeof(T));
    for (int64_t y = 0; y < kChunkPx; ++y)
        for (int64_t x = 0; x < kChunkPx; ++x) {
            const T value = pixels(x, y);
            for (size_t byte = 0; byte < sizeof(T); ++byte)
                out[byte * n + static_cast<size_t>(y * kChunkPx + x)] =
                    static_cast<uint8_t>(value >> (8 * byte));
        }
    return out;
}

}  // namespace

std::vector<uint8_t> compress_chunk(ImageView<const uint8_t> pixels) {
    return deflated(shuffled(pixels));
}

std::vector<uint8_t> compress_chunk(ImageView<const uint32_t> pixels) {
    return deflated(shuffled(pixels));
}

}  // namespace wsi
