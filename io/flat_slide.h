#pragma once

#include <memory>
#include <string>

#include "io/slide.h"

namespace wsi {

/// Whether the suffix is one that flat images have: TIFF, PNG, JPEG, JPEG 2000.
bool is_flat_image_name(const std::string& path);

/// Where the pixels of a flat image are kept, and how much memory it may take.
struct FlatStorage {
    std::string scratch_dir{};  ///< for what memory does not hold; empty = the system's own
    int64_t most_bytes_in_memory = int64_t{256} << 20;  ///< of pixels; more go to a scratch file
    int64_t most_bytes_at_once = int64_t{1} << 30;      ///< of pixels, where a decoder needs all
};

/// Opens a plain image through libvips. Few pixels are kept in memory; more go to a tiled scratch
/// file when they are first wanted (Slide::make_ready), so that what is refused before costs no
/// disk. Throws Error{Slide} for anything but 8-bit RGB(A), and for a large image that cannot be
/// decoded piece by piece.
std::unique_ptr<Slide> open_flat_image(const std::string& path, const SlideConfig& config,
                                       const FlatStorage& storage);

}  // namespace wsi
