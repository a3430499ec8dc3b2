#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/types/nucleus.h"

namespace wsi {

/// Places in `schema` of the columns named, in the order named, each once. A name may hold `*` for
/// any text (`shape_*`); identity columns (id, uuid, centroid, class, flags) are in every file and
/// may be named too. Throws Error{Config} for a name that fits nothing, with the nearest names.
std::vector<size_t> choose_columns(const FeatureSchema& schema,
                                   std::span<const std::string> wanted);

/// True when `name` fits `pattern`, where `*` stands for any text.
bool fits_pattern(const std::string& name, const std::string& pattern);

/// The `count` names that need the fewest letters changed, added or dropped to become `name`.
std::vector<std::string> nearest_names(const std::string& name, std::span<const std::string> known,
                                       size_t count);

}  // namespace wsi
