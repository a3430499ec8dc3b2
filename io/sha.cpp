#include "io/sha.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <vector>

#include "config/error.h"

namespace wsi {

namespace {

constexpr std::array<uint32_t, 64> kRound{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t big_endian(const uint8_t* p) {
    return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

/// A message with the padding both algorithms prescribe.
std::vector<uint8_t> tail(std::span<const uint8_t> rest, uint64_t length) {
    std::vector<uint8_t> out(rest.begin(), rest.end());
    out.push_back(0x80);
    while (out.size() % 64 != 56) out.push_back(0);
    for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<uint8_t>((length * 8) >> shift));
    return out;
}

}  // namespace

void Sha256::block(const uint8_t* bytes) {
    std::array<uint32_t, 64> w;
    for (size_t i = 0; i < 16; ++i) w[i] = big_endian(bytes + 4 * i);
    for (size_t i = 16; i < 64; ++i) {
        const uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) +
               (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    std::array<uint32_t, 8> s = state_;
    for (size_t i = 0; i < 64; ++i) {
        const uint32_t e = s[4], a = s[0];
        const uint32_t t1 = s[7] + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                            ((e & s[5]) ^ (~e & s[6])) + kRound[i] + w[i];
        const uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                            ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (size_t i = 0; i < 8; ++i) state_[i] += s[i];
}

void Sha256::add(std::span<const uint8_t> bytes) {
    for (size_t used = length_ % 64; !bytes.empty(); used = 0) {
        const size_t n = std::min(bytes.size(), 64 - used);
        std::memcpy(pending_.data() + used, bytes.data(), n);
        length_ += n;
        bytes = bytes.subspan(n);
        if (used + n == 64) block(pending_.data());
    }
}

std::array<uint8_t, 32> Sha256::digest() {
    const auto rest = tail(std::span(pending_).first(length_ % 64), length_);
    for (size_t at = 0; at < rest.size(); at += 64) block(rest.data() + at);
    std::array<uint8_t, 32> out;
    for (size_t i = 0; i < 32; ++i)
        out[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

std::array<uint8_t, 20> sha1(std::string_view text) {
    const std::vector<uint8_t> message =
        tail({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, text.size());
    std::array<uint32_t, 5> h{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (size_t at = 0; at < message.size(); at += 64) {
        std::array<uint32_t, 80> w;
        for (size_t i = 0; i < 16; ++i) w[i] = big_endian(&message[at + 4 * i]);
        for (size_t i = 16; i < 80; ++i)
            w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        std::array<uint32_t, 5> s = h;
        for (size_t i = 0; i < 80; ++i) {
            const uint32_t b = s[1], c = s[2], d = s[3];
            const uint32_t f = i < 20   ? (b & c) | (~b & d)
                               : i < 40 ? b ^ c ^ d
                               : i < 60 ? (b & c) | (b & d) | (c & d)
                                        : b ^ c ^ d;
            const uint32_t k = i < 20   ? 0x5a827999u
                               : i < 40 ? 0x6ed9eba1u
                               : i < 60 ? 0x8f1bbcdcu
                                        : 0xca62c1d6u;
            s = {std::rotl(s[0], 5) + f + s[4] + k + w[i], s[0], std::rotl(b, 30), c, d};
        }
        for (size_t i = 0; i < 5; ++i) h[i] += s[i];
    }
    std::array<uint8_t, 20> out;
    for (size_t i = 0; i < 20; ++i) out[i] = static_cast<uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

std::string hex(std::span<const uint8_t> bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const uint8_t b : bytes) {
        out += kDigits[b >> 4];
        out += kDigits[b & 15];
    }
    return out;
}

std::string sha256_hex(std::string_view text) {
    Sha256 sha;
    sha.add({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    return hex(sha.digest());
}

std::string sha256_of_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail(ErrorKind::Config, "cannot open ", path);
    std::vector<char> buffer(1 << 20);
    Sha256 sha;
    while (in.read(buffer.data(), std::ssize(buffer)) || in.gcount() > 0)
        sha.add(
            {reinterpret_cast<const uint8_t*>(buffer.data()), static_cast<size_t>(in.gcount())});
    return hex(sha.digest());
}

}  // namespace wsi
