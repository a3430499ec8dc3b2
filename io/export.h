#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/result_store.h"

namespace wsi {

/// Origin of coordinates in GeoJSON: QuPath shifts by the slide's bounds.
enum class Frame { Qupath, Level0 };

struct ExportOptions {
    Frame frame = Frame::Qupath;
    std::function<void(double fraction)> progress;  ///< may be empty
};

/// Suffixes that can be written, longest first, e.g. ".labels.tif".
const std::vector<std::string>& export_suffixes();

/// The suffix of `path` that decides its format. Throws Error{Config} naming the known ones.
std::string export_suffix(const std::string& path);

/// Writes one export from a result as a stream, to a temporary name that is renamed at the end.
/// Byte for byte a function of the result without /provenance. Throws Error{Output}.
void export_result(const ResultReader& result, const std::string& path,
                   const ExportOptions& options);

}  // namespace wsi
