#pragma once

#include "config/config.h"
#include "io/types/nucleus.h"

namespace wsi {

/// Columns of a finished table beyond the identity: feature_schema(), which needs one nucleus and
/// what is near it, then, when they are on, neighbour_columns(), which need the whole slide.
FeatureSchema table_schema(const FeatureConfig& config);

}  // namespace wsi
