#pragma once

#include <string>
#include <string_view>

namespace wsi {

/// Text from an untrusted file as it may stand in a message: in quotes, on one line, without
/// control characters or bytes beyond ASCII, cut after 80 bytes.
inline std::string shown(std::string_view text) {
    constexpr size_t kLongest = 80;
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "'";
    for (const char c : text.substr(0, kLongest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f)
            out += c;
        else
            out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
    return out + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace wsi
