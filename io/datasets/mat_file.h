#pragma once

#include <string>

#include "io/types/image.h"

namespace wsi {

/// A two-dimensional numeric array of a MATLAB file (version 5: `save -v6` or `-v7`, also scipy's
/// savemat). Throws Error{Config}: no such array, files of version 7.3 (HDF5) or 4, big-endian
/// ones, negative or broken numbers, damage.
Image<uint32_t> read_mat_labels(const std::string& path, const std::string& array);

}  // namespace wsi
