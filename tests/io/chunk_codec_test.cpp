#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "io/result_store.h"
#include "io/run_deflate.h"
#include "tests/support/synthetic_result.h"

namespace wsi {
namespace {

constexpr auto kArea = static_cast<size_t>(kChunkPx) * kChunkPx;

std::vector<uint8_t> inflated(const std::vector<uint8_t>& stream, size_t size) {
    std::vector<uint8_t> out(size + 1);
    uLongf length = out.size();
    EXPECT_EQ(uncompress(out.data(), &length, stream.data(), stream.size()), Z_OK);
    out.resize(length);
    return out;
}

/// HDF5's documentation of the shuffle filter, literally.
template <class T>
std::vector<uint8_t> shuffled(ImageView<const T> pixels) {
    std::vector<uint8_t> out;
    for (size_t byte = 0; byte < sizeof(T); ++byte)
        for (int64_t y = 0; y < kChunkPx; ++y)
            for (int64_t x = 0; x < kChunkPx; ++x)
                out.push_back(static_cast<uint8_t>(pixels(x, y) >> (8 * byte)));
    return out;
}

template <class T>
void expect_round_trip(const Image<T>& image, const char* what) {
    const auto stream = compress_chunk(image.view());
    EXPECT_TRUE(inflated(stream, kArea * sizeof(T)) == shuffled<T>(image.view())) << what;
}

TEST(ChunkCodecTest, any_chunk_inflates_to_its_shuffled_bytes) {
    std::mt19937 random(3);
    for (const int most_run : {1, 2, 3, 9, 40, 400, 100000}) {
        for (const uint32_t values : {2u, 300u, 0xFFFFFFFFu}) {
            Image<uint32_t> wide(kChunkPx, kChunkPx);
            GrayImage narrow(kChunkPx, kChunkPx);
            for (size_t i = 0; i < kArea;) {
                const size_t length = 1 + random() % static_cast<uint32_t>(most_run);
                const auto value = static_cast<uint32_t>(random() % values);
                for (size_t k = 0; k < length && i < kArea; ++k, ++i) {
                    wide.data()[i] = value;
                    narrow.data()[i] = static_cast<uint8_t>(value);
                }
            }
            wide.data()[0] = 7;  // not all zero
            narrow.data()[0] = 7;
            expect_round_trip(wide, "uint32");
            expect_round_trip(narrow, "uint8");
        }
    }
}

TEST(ChunkCodecTest, one_pixel_at_any_place_survives) {
    for (const int64_t at : {0, 1, 7, 8, 511, 512, 131072, 262142, 262143}) {
        Image<uint32_t> image(kChunkPx, kChunkPx, 0);
        image.data()[at] = 0x01020304;
        expect_round_trip(image, "one pixel");
    }
    expect_round_trip(Image<uint32_t>(kChunkPx, kChunkPx, 0xFFFFFFFF), "constant");
}

TEST(ChunkCodecTest, a_part_of_a_larger_image_is_taken_by_its_stride) {
    Image<uint32_t> large(kChunkPx + 9, kChunkPx + 2, 5);
    for (int64_t y = 0; y < large.height(); ++y) large(y % 500, y) = static_cast<uint32_t>(y);
    const ImageView<const uint32_t> part =
        std::as_const(large).view().crop({3, 1, kChunkPx, kChunkPx});
    EXPECT_TRUE(inflated(compress_chunk(part), kArea * 4) == shuffled(part));
}

TEST(ChunkCodecTest, nothing_is_written_for_background) {
    EXPECT_TRUE(compress_chunk(Image<uint32_t>(kChunkPx, kChunkPx, 0).view()).empty());
    EXPECT_TRUE(compress_chunk(GrayImage(kChunkPx, kChunkPx, 0).view()).empty());
}

TEST(ChunkCodecTest, labels_shrink_to_less_than_a_tenth) {
    const Image<uint32_t> labels = test::SyntheticResult(1000).labels(0, 1);
    EXPECT_LT(compress_chunk(labels.view()).size(), kArea * 4 / 10);
}

TEST(RunDeflateTest, runs_of_every_length_inflate) {
    RunDeflater deflater;
    std::vector<uint8_t> expected;
    for (uint32_t first = 1; first < 1200; first += 300) {
        std::vector<ByteRun> runs;
        for (uint32_t length = first; length < first + 300; ++length) {
            runs.push_back({length, static_cast<uint8_t>(length * 7)});
            expected.insert(expected.end(), length, static_cast<uint8_t>(length * 7));
        }
        deflater.add_block(runs);
    }
    EXPECT_TRUE(inflated(deflater.finish(), expected.size()) == expected);
}

TEST(RunDeflateTest, very_uneven_counts_stay_within_fifteen_bits) {
    // Fibonacci counts give the deepest Huffman tree: 30 symbols would need 29 bits.
    std::vector<ByteRun> runs;
    std::vector<uint8_t> expected;
    uint32_t a = 1, b = 1;
    for (uint8_t symbol = 0; symbol < 28; ++symbol) {
        for (uint32_t i = 0; i < a; ++i) {
            runs.push_back({1, symbol});
            expected.push_back(symbol);
        }
        b += std::exchange(a, b);
    }
    RunDeflater deflater;
    deflater.add_block(runs);
    EXPECT_TRUE(inflated(deflater.finish(), expected.size()) == expected);
}

/// Bytes below `limit` that repeat nothing a deflater could find.
std::vector<uint8_t> scattered(size_t count, uint32_t limit) {
    std::vector<uint8_t> bytes(count);
    uint32_t state = 1;
    for (uint8_t& b : bytes) {
        state = state * 1664525u + 1013904223u;
        b = static_cast<uint8_t>((state >> 16) % limit);
    }
    return bytes;
}

TEST(RunDeflateTest, random_bytes_are_stored_and_others_coded) {
    // Stored blocks begin on whole bytes and hold 65,535 at most.
    const std::vector<uint8_t> random = scattered(150000, 256), few = scattered(16384, 16);
    RunDeflater deflater;
    std::vector<uint8_t> expected;
    for (const auto* block : {&few, &random, &few, &few, &random}) {
        deflater.add_block(*block);
        expected.insert(expected.end(), block->begin(), block->end());
    }
    const std::vector<uint8_t> bytes = deflater.finish();
    EXPECT_TRUE(inflated(bytes, expected.size()) == expected);
    EXPECT_LT(bytes.size(), 2 * 150000 + 3 * 16384 * 53 / 100);
}

TEST(RunDeflateTest, bytes_make_the_stream_of_their_runs) {
    RunDeflater by_runs, by_bytes;
    std::vector<uint8_t> bytes;
    std::vector<ByteRun> runs;
    for (uint32_t length = 1; length < 600; ++length) {
        runs.push_back({length, static_cast<uint8_t>(length % 5)});
        bytes.insert(bytes.end(), length, static_cast<uint8_t>(length % 5));
    }
    by_runs.add_block(runs);
    by_bytes.add_block(bytes);
    EXPECT_TRUE(by_runs.finish() == by_bytes.finish());
}

TEST(RunDeflateTest, an_empty_stream_inflates_to_nothing) {
    EXPECT_TRUE(inflated(RunDeflater().finish(), 0).empty());
}

}  // namespace
}  // namespace wsi
