#pragma once

#include <ogr_spatialref.h>

#include <functional>
#include <string>

#include "io/types/work_frame.h"

// What the files that GDAL writes have in common. Included only by io/export_geotiff.cpp and
// io/export_ogr.cpp.
namespace wsi::gdal {

/// Registers the drivers once; errors are kept for us to read, not printed.
void set_up();

/// A slide has no place on Earth: x to the right, y upward (so negative), in micrometres.
OGRSpatialReference slide_crs();

/// Throws Error{Output} with GDAL's last error when there was one, or when `ok` is false.
void check(bool ok, const std::string& path);

}  // namespace wsi::gdal
