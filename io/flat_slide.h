#pragma once

#include <memory>
#include <string>

#include "io/slide.h"

namespace wsi {

/// Whether the suffix is one that flat images have: TIFF, PNG, JPEG, JPEG 2000.
bool is_flat_image_name(const std::string& path);

/// Opens a plain image through libvips. Up to 256 MB of pixels are kept in memory, more are spooled
/// to a scratch file in `scratch_dir`. Throws Error{Slide} for anything but 8-bit RGB(A).
std::unique_ptr<Slide> open_flat_image(const std::string& path, const SlideConfig& config,
                                       const std::string& scratch_dir);

}  // namespace wsi
