#include "io/html.h"

#include <string_view>

#include "io/picture.h"

namespace wsi {

namespace {

constexpr const char* kStyle = R"(<style>
body { font: 14px sans-serif; max-width: 980px; margin: 24px auto; color: #222 }
table { border-collapse: collapse } td, th { padding: 3px 10px; text-align: left; border-bottom: 1px solid #ddd }
img { max-width: 100%; border: 1px solid #ddd } svg { width: 300px } svg text { font-size: 11px }
figure { display: inline-block; margin: 8px } rect { fill: #5c3e8c } .swatch { padding: 0 8px; margin-right: 6px }
</style>
)";

}  // namespace

std::string html_head(const std::string& title) {
    const std::string text = escaped_html(title);
    return "<!doctype html>\n<meta charset=\"utf-8\"><title>" + text + "</title>\n" + kStyle +
           "<h1>" + text + "</h1>\n";
}

std::string url_of_path(const std::string& path) {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~/").find(c) != std::string_view::npos;
    };
    std::string out;
    for (const char c : path) {
        if (plain(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<uint8_t>(c);
        out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return out;
}

std::string escaped_html(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

std::string base64(std::span<const uint8_t> bytes) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
        for (size_t k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
    return out;
}

std::string inline_picture(ConstRgbView image) {
    return "<img src=\"data:image/jpeg;base64," + base64(jpeg_bytes(image)) + "\">";
}

}  // namespace wsi
