#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wsi {

struct ByteRun {
    uint32_t length = 0;
    uint8_t value = 0;
};

/// Writes a zlib stream (RFC 1950, 1951) of bytes that come as runs: each run is a literal and
/// matches at distance 1, Huffman-coded per block. What zlib's Z_RLE strategy does, but its time
/// grows with the number of runs, not of bytes.
class RunDeflater {
public:
    RunDeflater();
    /// One block of the stream; neighbouring runs may have the same value, none is empty.
    void add_block(const std::vector<ByteRun>& runs);
    /// One block of bytes as they are; nearly random ones are stored, which takes no time.
    void add_block(std::span<const uint8_t> bytes);
    /// The whole stream; the object is spent.
    std::vector<uint8_t> finish();

private:
    void put(uint64_t bits, int count);
    void add_checksum(const std::vector<ByteRun>& runs);
    void put_tokens();
    void put_stored(std::span<const uint8_t> bytes);
    void flush_byte();

    std::vector<uint8_t> bytes_;
    std::vector<uint16_t> tokens_;
    uint64_t pending_ = 0;
    int pending_bits_ = 0;
    uint64_t sum_a_ = 1, sum_b_ = 0;  // Adler-32
};

}  // namespace wsi
