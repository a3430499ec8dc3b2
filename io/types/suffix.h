#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>

namespace wsi {

inline std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// What follows the last dot, with it, in lower case: ".svs" of "A.SVS".
inline std::string lower_suffix(const std::filesystem::path& path) {
    return lower_case(path.extension().string());
}

}  // namespace wsi
