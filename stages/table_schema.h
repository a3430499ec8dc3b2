#pragma once

#include "config/config.h"
#include "io/types/nucleus.h"

namespace wsi {

/// feature_schema() with the name of the slide's second stain: `E` becomes `DAB`.
FeatureSchema stained_schema(const FeatureConfig& features, StainSet stains);

/// Columns of a finished table beyond the identity: stained_schema(), which needs one nucleus and
/// what is near it; with DAB ihc_columns(), computed from those; then, when they are on,
/// neighbour_columns(), which need the whole slide.
FeatureSchema table_schema(const FeatureConfig& features, StainSet stains);

}  // namespace wsi
