#pragma once

#include <string>

namespace wsi {

/// Starts libvips once, with one thread, no operation cache, and without its own OpenSlide loader:
/// that one would bring back files which OpenSlide refused.
void set_up_vips();

/// libvips' error buffer belongs to the whole process: takes and clears it, first line only.
std::string take_vips_error();

}  // namespace wsi
