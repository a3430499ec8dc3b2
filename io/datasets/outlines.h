#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/datasets/bytes.h"
#include "io/types/image.h"

namespace wsi {

struct OutlinePoint {
    double x = 0, y = 0;
};
using Outline = std::vector<OutlinePoint>;

/// Sets the pixels that MATLAB's poly2mask(x, y, H, W) sets to `id`: pixel centres lie on whole
/// numbers from 1, edges are snapped to a grid five times as fine. The data sets' own masks were
/// made with it, so outlines give them bit for bit. Throws Error{Config} for points beyond 1e5.
void fill_outline(const Outline& outline, uint32_t id, ImageView<uint32_t> labels);

/// Polygon of an ImageJ .roi file: polygon, freehand or traced; image coordinates. Throws
/// Error{Config} for other shapes and damage.
Outline parse_imagej_roi(const Bytes& roi);

/// A set of .roi files: a .zip or a folder (searched below); ids are ranks of their names from 1.
Image<uint32_t> read_roi_set(const std::filesystem::path& zip_or_folder, PixelSize size);

}  // namespace wsi
