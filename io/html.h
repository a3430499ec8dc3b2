#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/types/image.h"

namespace wsi {

/// Text that may stand anywhere in a page.
std::string escaped_html(const std::string& text);

std::string base64(std::span<const uint8_t> bytes);

/// `<img>` that holds a picture itself, as JPEG, so that the page is one file.
std::string inline_picture(ConstRgbView image);

}  // namespace wsi
