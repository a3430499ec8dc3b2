#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/types/nucleus.h"

namespace wsi {

/// Whose names the columns of an export bear.
enum class Naming { Ours, HistomicsTk, QuPath, CellProfiler };

/// "ours", "histomicstk", "qupath", "cellprofiler". Throws Error{Config} for another.
Naming naming_of(const std::string& text);

enum class LooseNames { No, Yes };

/// What units and origins of other tools depend on.
struct NamingFrame {
    double um_per_px = 1;  ///< of level 0, whose pixels are the tools'
    double um_per_px_x = 1, um_per_px_y = 1;
    double work_um_per_px = 1;                ///< of the pixels that were measured
    double bounds_x_px = 0, bounds_y_px = 0;  ///< level 0: QuPath's origin
};

/// What of a nucleus's identity enters a column.
enum class FromIdentity { Nothing, Id, CentroidX, CentroidY, DetectionProbability };

/// A column under another tool's name and in its unit: (factor · value)^power + share · identity +
/// offset.
struct NamedColumn {
    std::optional<size_t> place;  ///< of the value in the schema; none: the identity alone
    std::string name, unit;
    double factor = 1;
    int power = 1;
    FromIdentity identity = FromIdentity::Nothing;
    double share = 1, offset = 0;
};

/// A row's value in a named column; `value`: that of the schema's column. id: from 1.
float named_value(const NamedColumn& column, float value, const NucleusIdentity& who, uint64_t id);

/// Columns of `schema`, and of the identity those called `identity`, that the tool knows, in this
/// order, under all names that it has for them: those of the same definition, and with loose names
/// those that it defines otherwise, too (docs/features.md says how). No name comes twice: the first
/// column that has it wins. The schema's columns as they are with Naming::Ours.
std::vector<NamedColumn> name_columns(const FeatureSchema& schema, Naming naming, LooseNames loose,
                                      const NamingFrame& frame,
                                      std::span<const std::string> identity = {});

}  // namespace wsi
