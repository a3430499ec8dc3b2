#pragma once

#include <string>

namespace wsi {

/// Which slide a DICOM file is of: its SeriesInstanceUID, by which OpenSlide finds a slide's files
/// in their folder. Read from the file's header alone, a few kB; empty for a file that is no DICOM,
/// is damaged before that element, or is of a kind that OpenSlide does not read (big endian,
/// deflated).
std::string dicom_series(const std::string& path);

}  // namespace wsi
