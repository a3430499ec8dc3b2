#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "io/result_store.h"
#include "io/run_deflate.h"

namespace wsi {

namespace {

constexpr size_t kPixels = static_cast<size_t>(kChunkPx) * kChunkPx;
/// With more runs than this (maps, not labels) general deflate is smaller and no slower.
constexpr size_t kMostRuns = kPixels / 8;

template <class T>
struct Run {
    T value;
    uint32_t length;
};

/// Runs of equal values of the chunk, row after row; empty when there are more than kMostRuns.
template <class T>
std::vector<Run<T>> runs_of(ImageView<const T> pixels) {
    std::vector<Run<T>> runs;
    T value = pixels(0, 0);
    uint32_t length = 0;
    uint8_t changed[kChunkPx];  // of pixel x against its left neighbour
    for (int64_t y = 0; y < kChunkPx; ++y) {
        const T* row = pixels.row(y);
        changed[0] = row[0] != value;
        for (int64_t x = 1; x < kChunkPx; ++x) changed[x] = row[x] != row[x - 1];
        int64_t start = 0;  // of the part of this row that is not yet in `length`
        for (int64_t x = 0; x < kChunkPx; x += 8) {
            uint64_t flags;
            std::memcpy(&flags, changed + x, 8);
            for (; flags != 0; flags &= flags - 1) {
                const int64_t at = x + std::countr_zero(flags) / 8;
                runs.push_back({value, length + static_cast<uint32_t>(at - start)});
                value = row[at];
                length = 0;
                start = at;
            }
        }
        length += static_cast<uint32_t>(kChunkPx - start);
        if (runs.size() >= kMostRuns) return {};
    }
    runs.push_back({value, length});
    return runs;
}

/// The zlib stream of HDF5's shuffle filter: all first bytes of the values, all second bytes, ...
template <class T>
std::vector<uint8_t> deflated_runs(const std::vector<Run<T>>& runs) {
    RunDeflater out;
    std::vector<ByteRun> plane;
    for (size_t byte = 0; byte < sizeof(T); ++byte) {
        plane.clear();
        for (const Run<T>& run : runs) {
            const auto value = static_cast<uint8_t>(run.value >> (8 * byte));
            if (!plane.empty() && plane.back().value == value)
                plane.back().length += run.length;
            else
                plane.push_back({run.length, value});
        }
        out.add_block(plane);
    }
    return out.finish();
}

template <class T>
std::vector<uint8_t> deflated_bytes(ImageView<const T> pixels) {
    std::vector<uint8_t> bytes(kPixels * sizeof(T));
    for (size_t byte = 0; byte < sizeof(T); ++byte) {
        uint8_t* to = bytes.data() + byte * kPixels;
        for (int64_t y = 0; y < kChunkPx; ++y)
            for (int64_t x = 0; x < kChunkPx; ++x)
                *to++ = static_cast<uint8_t>(pixels(x, y) >> (8 * byte));
    }
    uLongf size = compressBound(bytes.size());
    std::vector<uint8_t> out(size);
    WSI_CHECK(compress2(out.data(), &size, bytes.data(), bytes.size(), 1) == Z_OK);
    out.resize(size);
    return out;
}

template <class T>
std::vector<uint8_t> compressed(ImageView<const T> pixels) {
    WSI_CHECK(pixels.width == kChunkPx && pixels.height == kChunkPx);
    const std::vector<Run<T>> runs = runs_of(pixels);
    if (runs.empty()) return deflated_bytes(pixels);
    if (runs.size() == 1 && runs.front().value == 0) return {};
    return deflated_runs(runs);
}

}  // namespace

std::vector<uint8_t> compress_chunk(ImageView<const uint8_t> pixels) { return compressed(pixels); }

std::vector<uint8_t> compress_chunk(ImageView<const uint32_t> pixels) { return compressed(pixels); }

}  // namespace wsi
