#pragma once

#include <string>
#include <vector>

#include "io/types/nucleus.h"

namespace wsi {

/// Whose names the columns of an export bear.
enum class Naming { Ours, HistomicsTk, QuPath, CellProfiler };

/// "ours", "histomicstk", "qupath", "cellprofiler". Throws Error{Config} for another.
Naming naming_of(const std::string& text);

enum class LooseNames { No, Yes };

/// A column under another tool's name and in its unit.
struct NamedColumn {
    size_t place = 0;  ///< in the schema
    std::string name, unit;
    double factor = 1;  ///< of the values
};

/// Columns of `schema` that the tool knows, in the schema's order: those of the same definition,
/// and with loose names those that it defines otherwise, too (docs/features.md says how). All, as
/// they are, with Naming::Ours. um_per_px: of level 0, whose pixels are the tool's.
std::vector<NamedColumn> name_columns(const FeatureSchema& schema, Naming naming, LooseNames loose,
                                      double um_per_px);

}  // namespace wsi
