#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "config/error.h"

namespace wsi {

/// Bytes of a file with every access checked; numbers at any offset, either byte order.
class Bytes {
public:
    /// `path` is for messages only. The bytes belong to somebody else.
    Bytes(std::span<const std::byte> bytes, std::string path)
        : bytes_(bytes), path_(std::move(path)) {}

    size_t size() const { return bytes_.size(); }
    const std::string& path() const { return path_; }
    Bytes part(size_t offset, size_t count) const { return {checked(offset, count), path_}; }
    template <class T>
    T little(size_t offset) const {
        T value;
        std::memcpy(&value, checked(offset, sizeof(T)).data(), sizeof(T));
        return value;
    }
    template <class T>
    T big(size_t offset) const {
        std::byte turned[sizeof(T)];
        const auto from = checked(offset, sizeof(T));
        std::reverse_copy(from.begin(), from.end(), turned);
        return std::bit_cast<T>(turned);
    }
    std::string text(size_t offset, size_t count) const {
        return {reinterpret_cast<const char*>(checked(offset, count).data()), count};
    }
    const std::byte* data() const { return bytes_.data(); }

private:
    std::span<const std::byte> checked(size_t offset, size_t count) const {
        if (offset > size() || count > size() - offset)
            fail(ErrorKind::Config, path_, ": ends at byte ", size(), ", but byte ", offset, " + ",
                 count, " is referred to; the file is truncated or damaged");
        return bytes_.subspan(offset, count);
    }
    std::span<const std::byte> bytes_;
    std::string path_;
};

static_assert(std::endian::native == std::endian::little);

/// Inflates `from` (zlib or raw deflate) to exactly, or at most, `size` bytes. Throws
/// Error{Config}.
enum class Wrapping { Zlib, Raw };
std::vector<std::byte> inflate_bytes(const Bytes& from, size_t size, Wrapping wrapping);

}  // namespace wsi
