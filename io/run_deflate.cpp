#include "io/run_deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace wsi {

namespace {

constexpr uint32_t kAdler = 65521;
constexpr int kEndOfBlock = 256, kSymbols = 286, kLongest = 258;
constexpr int kTokens = 256 + kLongest + 1;  // below 256: a literal; else 256 + length of a match
constexpr size_t kLengthCodes = 19;
constexpr int kMostBits = 15, kMostLengthBits = 7;  // RFC 1951, 3.2.7

/// RFC 1951, 3.2.5: symbol and extra bits of each match length 3..258.
struct LengthCode {
    uint16_t symbol = 0;
    uint8_t extra_bits = 0;
    uint16_t extra = 0;
};
constexpr std::array<LengthCode, kLongest + 1> length_codes() {
    std::array<LengthCode, kLongest + 1> codes{};
    int length = 3;
    for (int symbol = 257; symbol < 285; ++symbol) {
        const int extra_bits = symbol < 265 ? 0 : (symbol - 261) / 4;
        for (int extra = 0; extra < 1 << extra_bits && length < kLongest; ++extra, ++length)
            codes[static_cast<size_t>(length)] = {static_cast<uint16_t>(symbol),
                                                  static_cast<uint8_t>(extra_bits),
                                                  static_cast<uint16_t>(extra)};
    }
    codes[kLongest] = {285, 0, 0};
    return codes;
}
constexpr auto kLengths = length_codes();

struct Code {
    uint32_t bits = 0;  ///< as they go into the stream, first bit lowest
    int count = 0;
};

/// Depths of the leaves of a Huffman tree over the symbols in use (Moffat's two queues).
int huffman_depths(std::span<const uint32_t> counts, std::span<uint8_t> depths) {
    std::vector<std::pair<uint64_t, int>> leaves;
    for (size_t s = 0; s < counts.size(); ++s)
        if (counts[s] > 0) leaves.emplace_back(counts[s], static_cast<int>(s));
    std::fill(depths.begin(), depths.end(), uint8_t{0});
    const size_t n = leaves.size();
    if (n == 1) depths[static_cast<size_t>(leaves[0].second)] = 1;
    if (n < 2) return static_cast<int>(n);
    std::sort(leaves.begin(), leaves.end());
    std::vector<uint64_t> weight(n - 1);
    std::vector<size_t> parent(2 * n - 1);  // leaves, then inner nodes
    size_t leaf = 0, inner = 0;
    for (size_t made = 0; made < n - 1; ++made) {
        weight[made] = 0;
        for (int child = 0; child < 2; ++child) {
            const bool take_leaf =
                leaf < n && (inner == made || leaves[leaf].first <= weight[inner]);
            weight[made] += take_leaf ? leaves[leaf].first : weight[inner];
            parent[take_leaf ? leaf++ : n + inner++] = n + made;
        }
    }
    std::vector<uint8_t> depth(2 * n - 1, 0);
    for (size_t node = 2 * n - 2; node-- > 0;)
        depth[node] = static_cast<uint8_t>(depth[parent[node]] + 1);
    for (size_t i = 0; i < n; ++i) depths[static_cast<size_t>(leaves[i].second)] = depth[i];
    return depth[0];  // the rarest symbol is among the deepest
}

/// Code lengths of at most `limit` bits: counts are flattened until the tree is shallow enough.
void limited_depths(std::span<uint32_t> counts, std::span<uint8_t> depths, int limit) {
    while (huffman_depths(counts, depths) > limit)
        for (uint32_t& c : counts) c = (c + 1) / 2;
}

/// RFC 1951, 3.2.2: canonical codes, bits reversed for the stream.
void canonical_codes(std::span<const uint8_t> depths, std::span<Code> codes) {
    std::array<uint32_t, kMostBits + 1> first{}, population{};
    for (const uint8_t d : depths)
        if (d > 0) ++population[d];
    for (size_t d = 1; d <= kMostBits; ++d) first[d] = (first[d - 1] + population[d - 1]) << 1;
    for (size_t s = 0; s < depths.size(); ++s) {
        const int d = depths[s];
        if (d == 0) continue;
        uint32_t code = first[static_cast<size_t>(d)]++, reversed = 0;
        for (int i = 0; i < d; ++i, code >>= 1) reversed = reversed << 1 | (code & 1);
        codes[s] = {reversed, d};
    }
}

void append_tokens(const ByteRun& run, std::vector<uint16_t>& tokens) {
    uint32_t rest = run.length - 1;
    tokens.push_back(run.value);
    while (rest >= 3) {
        // Never leaves a rest of 1 or 2, which would need literals.
        const uint32_t length = rest <= kLongest ? rest : std::min<uint32_t>(kLongest, rest - 3);
        tokens.push_back(static_cast<uint16_t>(256 + length));
        rest -= length;
    }
    for (; rest > 0; --rest) tokens.push_back(run.value);
}

/// Whether two bytes taken at random agree so seldom that codes could save 3 % at most: their
/// collision entropy, which Shannon's is never below, is 7.8 bits or more.
bool nearly_random(std::span<const uint8_t> bytes) {
    std::array<uint64_t, 256> counts{};
    for (const uint8_t b : bytes) ++counts[b];
    double agreeing = 0;
    for (const uint64_t n : counts) agreeing += static_cast<double>(n) * static_cast<double>(n);
    const auto all = static_cast<double>(bytes.size());
    constexpr double kTwoToMinus7_8 = 0.0044871;
    return agreeing <= all * all * kTwoToMinus7_8;
}

}  // namespace

RunDeflater::RunDeflater() : bytes_{0x78, 0x01} {}  // zlib header: 32-KiB window, fastest level

void RunDeflater::put(uint64_t bits, int count) {
    pending_ |= bits << pending_bits_;
    pending_bits_ += count;
    if (pending_bits_ < 32) return;
    const uint8_t four[4] = {static_cast<uint8_t>(pending_), static_cast<uint8_t>(pending_ >> 8),
                             static_cast<uint8_t>(pending_ >> 16),
                             static_cast<uint8_t>(pending_ >> 24)};
    bytes_.insert(bytes_.end(), four, four + 4);
    pending_ >>= 32;
    pending_bits_ -= 32;
}

void RunDeflater::add_checksum(const std::vector<ByteRun>& runs) {
    // n times `value`: a grows by n * value, b by n * a + value * n (n + 1) / 2.
    for (const ByteRun& run : runs) {
        const uint64_t n = run.length, value = run.value;
        sum_b_ = (sum_b_ + n * sum_a_ + value * ((n * (n + 1) / 2) % kAdler)) % kAdler;
        sum_a_ = (sum_a_ + n * value) % kAdler;
    }
}

void RunDeflater::add_block(const std::vector<ByteRun>& runs) {
    add_checksum(runs);
    tokens_.clear();
    for (const ByteRun& run : runs) append_tokens(run, tokens_);
    put_tokens();
}

void RunDeflater::add_block(std::span<const uint8_t> bytes) {
    const uLong sum = adler32_z(sum_b_ << 16 | sum_a_, bytes.data(), bytes.size());
    sum_a_ = sum & 0xFFFF;
    sum_b_ = sum >> 16;
    if (nearly_random(bytes)) return put_stored(bytes);
    tokens_.clear();
    for (size_t i = 0, end = 0; i < bytes.size(); i = end) {
        while (end < bytes.size() && bytes[end] == bytes[i]) ++end;
        append_tokens({static_cast<uint32_t>(end - i), bytes[i]}, tokens_);
    }
    put_tokens();
}

void RunDeflater::flush_byte() {
    for (; pending_bits_ > 0; pending_bits_ -= 8, pending_ >>= 8)
        bytes_.push_back(static_cast<uint8_t>(pending_));
    pending_bits_ = 0;
}

/// RFC 1951, 3.2.4.
void RunDeflater::put_stored(std::span<const uint8_t> bytes) {
    constexpr size_t kMost = 65535;
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), kMost));
        put(0b000, 3);
        flush_byte();
        put(part.size(), 16);
        put(~part.size() & 0xFFFF, 16);
        bytes_.insert(bytes_.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
    }
}

/// One block of tokens_ with Huffman codes of its own.
void RunDeflater::put_tokens() {
    std::array<uint32_t, kTokens> token_counts{};
    for (const uint16_t token : tokens_) ++token_counts[token];
    std::array<uint32_t, kSymbols> counts{};
    counts[kEndOfBlock] = 1;
    for (size_t t = 0; t < kTokens; ++t) {
        if (token_counts[t] > 0) counts[t < 256 ? t : kLengths[t - 256].symbol] += token_counts[t];
    }
    std::array<uint8_t, kSymbols + 1> depths{};  // and the one distance code, of one bit
    limited_depths(counts, std::span(depths).first(kSymbols), kMostBits);
    depths[kSymbols] = 1;
    std::array<Code, kSymbols> codes{};
    canonical_codes(std::span(depths).first(kSymbols), codes);

    // Code lengths are themselves coded: zeros as runs (symbols 17, 18), the rest one by one.
    struct Length {
        uint8_t symbol, extra_bits, extra;
    };
    std::vector<Length> lengths;
    for (size_t i = 0; i < depths.size();) {
        size_t zeros = 0;
        while (i + zeros < depths.size() && depths[i + zeros] == 0 && zeros < 138) ++zeros;
        if (zeros >= 11)
            lengths.push_back({18, 7, static_cast<uint8_t>(zeros - 11)});
        else if (zeros >= 3)
            lengths.push_back({17, 3, static_cast<uint8_t>(zeros - 3)});
        else
            lengths.push_back({depths[i], 0, 0});
        i += zeros >= 3 ? zeros : 1;
    }
    std::array<uint32_t, kLengthCodes> length_counts{};
    for (const Length& l : lengths) ++length_counts[l.symbol];
    std::array<uint8_t, kLengthCodes> length_depths{};
    limited_depths(length_counts, length_depths, kMostLengthBits);
    std::array<Code, kLengthCodes> length_code{};
    canonical_codes(length_depths, length_code);

    put(0b100, 3);  // not the last block, dynamic codes
    put(kSymbols - 257, 5);
    put(0, 5);  // one distance code
    put(kLengthCodes - 4, 4);
    static constexpr uint8_t kOrder[kLengthCodes] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                     11, 4,  12, 3, 13, 2, 14, 1, 15};
    for (const uint8_t symbol : kOrder) put(length_depths[symbol], 3);
    for (const Length& l : lengths) {
        put(length_code[l.symbol].bits, length_code[l.symbol].count);
        put(l.extra, l.extra_bits);
    }
    // The bits of each token at once: code, extra bits, and the distance code's one zero bit.
    std::array<Code, kTokens> coded{};
    for (size_t t = 0; t < kTokens; ++t) {
        if (token_counts[t] == 0) continue;
        if (t < 256) {
            coded[t] = codes[t];
            continue;
        }
        const LengthCode& l = kLengths[t - 256];
        const Code& c = codes[l.symbol];
        coded[t] = {c.bits | static_cast<uint32_t>(l.extra) << c.count, c.count + l.extra_bits + 1};
    }
    for (const uint16_t token : tokens_) put(coded[token].bits, coded[token].count);
    put(codes[kEndOfBlock].bits, codes[kEndOfBlock].count);
}

std::vector<uint8_t> RunDeflater::finish() {
    put(0b011, 3);  // an empty last block with fixed codes,
    put(0, 7);      // of its end alone
    flush_byte();
    const auto checksum = static_cast<uint32_t>(sum_b_ << 16 | sum_a_);
    for (const int shift : {24, 16, 8, 0})
        bytes_.push_back(static_cast<uint8_t>(checksum >> shift));
    return std::move(bytes_);
}

}  // namespace wsi
