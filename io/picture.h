#pragma once

#include <string>
#include <vector>

#include "io/types/image.h"

namespace wsi {

/// Whole pictures of data sets (PNG, TIFF, JPEG, whatever libvips reads), as opposed to slides.
/// All throw Error{Config} with the file's name.

/// False in a build without libvips (WSI_IMAGING=OFF), where all of the others throw.
bool can_read_and_write_pictures();

/// 8-bit RGB; an alpha channel is dropped, grey is refused.
RgbImage read_rgb_picture(const std::string& path);

/// One channel of unsigned integers of up to 32 bits (or floats that are whole numbers): instance
/// ids, classes, masks. Several equal 8-bit channels (a mask saved as RGB) count as one.
Image<uint32_t> read_label_picture(const std::string& path);

/// Deflated PNG of 8 bits.
void write_rgb_picture(const std::string& path, ConstRgbView image);

/// JPEG, quality 85 without chroma subsampling: for pictures that people look at.
void write_jpeg_picture(const std::string& path, ConstRgbView image);

/// The same as the bytes of a file.
std::vector<uint8_t> jpeg_bytes(ConstRgbView image);

/// Deflated PNG of 16 bits. Throws also for ids above 65535.
void write_label_picture(const std::string& path, ImageView<const uint32_t> labels);

}  // namespace wsi
