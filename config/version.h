#pragma once

namespace wsi {

const char* program_version();

/// Raised when the same input gives other results than before, not at each release.
inline constexpr const char* kResultsVersion = "11";

/// Major version of the HDF5 layout; readers refuse a higher one.
inline constexpr int kFormatVersion = 1;

}  // namespace wsi
