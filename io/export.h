#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/column_naming.h"
#include "io/result_store.h"

namespace wsi {

/// Origin of coordinates in GeoJSON: QuPath shifts by the slide's bounds.
enum class Frame { Qupath, Level0 };

struct ExportOptions {
    Frame frame = Frame::Qupath;
    std::function<void(double fraction)> progress;  ///< may be empty
    /// Feature columns, `*` stands for any text; empty = the format's own choice.
    std::vector<std::string> columns;
    Naming naming = Naming::Ours;  ///< of feature columns
    LooseNames loose_names = LooseNames::No;
    double simplify_px = 0;   ///< how far outlines may move, level-0 pixels; 0 = as they are
    uint64_t split_rows = 0;  ///< most nuclei in one file; 0 = all in one
};

/// Suffixes that can be written, longest first, e.g. ".labels.tif".
const std::vector<std::string>& export_suffixes();

/// The suffix of `path` that decides its format. Throws Error{Config} naming the known ones.
std::string export_suffix(const std::string& path);

/// Names of the files that `path` is split into: out.geojson.gz -> out.part-0001.geojson.gz, ...;
/// `path` itself when nothing is split.
std::vector<std::string> split_names(const std::string& path, uint64_t rows, uint64_t split_rows);

/// Writes one export from a result as a stream, to a temporary name that is renamed at the end.
/// Byte for byte a function of the result without /provenance. Files of nuclei are split when asked
/// for; files that an earlier export left under names that are not written now are removed. Throws
/// Error{Output}.
void export_result(const ResultReader& result, const std::string& path,
                   const ExportOptions& options);

}  // namespace wsi
