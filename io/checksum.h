#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace wsi {

/// 64-bit checksum of bytes fed in any pieces: tells a torn or altered file from a whole one. Not a
/// cryptographic hash.
class Checksum {
public:
    void add(std::span<const uint8_t> bytes) {
        for (const uint8_t *p = bytes.data(), *end = p + bytes.size(); p != end;) {
            if (filled_ == 0 && end - p >= 8) {
                uint64_t word;
                std::memcpy(&word, p, 8);
                mix(word);
                p += 8;
                continue;
            }
            pending_ |= uint64_t{*p++} << (8 * filled_);
            if (++filled_ == 8) {
                mix(pending_);
                pending_ = 0;
                filled_ = 0;
            }
        }
        length_ += bytes.size();
    }
    uint64_t value() const {
        Checksum last = *this;
        last.mix(pending_);
        last.mix(length_);
        return last.state_;
    }

private:
    void mix(uint64_t word) {
        const auto product = static_cast<unsigned __int128>(state_ ^ word) * 0x9E3779B97F4A7C15u;
        state_ = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^
                 std::rotl(word, 29);
    }
    uint64_t state_ = 0x243F6A8885A308D3u, pending_ = 0, length_ = 0;
    int filled_ = 0;
};

}  // namespace wsi
