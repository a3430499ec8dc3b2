#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wsi {

/// SHA-256 (FIPS 180-4), fed in pieces.
class Sha256 {
public:
    void add(std::span<const uint8_t> bytes);
    std::array<uint8_t, 32> digest();

private:
    void block(const uint8_t* bytes);
    std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<uint8_t, 64> pending_{};
    uint64_t length_ = 0;
};

/// SHA-1 (FIPS 180-4): only for version-5 UUIDs, which prescribe it.
std::array<uint8_t, 20> sha1(std::string_view text);

std::string sha256_hex(std::string_view text);
/// Of a file's bytes, read in pieces. Throws Error{Config} when it cannot be opened.
std::string sha256_of_file(const std::string& path);
std::string hex(std::span<const uint8_t> bytes);

}  // namespace wsi
