#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/types/image.h"

namespace wsi {

/// Text that may stand anywhere in a page.
std::string escaped_html(const std::string& text);

/// The beginning of a page about results: title, style, headline.
std::string html_head(const std::string& title);

/// A relative path as a link: every byte that a URL gives a meaning to is escaped.
std::string url_of_path(const std::string& path);

std::string base64(std::span<const uint8_t> bytes);

/// `<img>` that holds a picture itself, as JPEG, so that the page is one file.
std::string inline_picture(ConstRgbView image);

}  // namespace wsi
