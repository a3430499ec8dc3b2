#pragma once

#include <memory>
#include <string>

#include "io/slide.h"

namespace wsi {

/// OpenSlide's name for a file's format; empty when it knows none.
std::string openslide_vendor(const std::string& path);

/// Opens with OpenSlide (≥ 3.4.1; DICOM needs 4). Throws Error{Slide}.
std::unique_ptr<Slide> open_with_openslide(const std::string& path, const SlideConfig& config);

}  // namespace wsi
