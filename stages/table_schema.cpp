#include "stages/table_schema.h"

#include "stages/features.h"
#include "stages/neighbours.h"

namespace wsi {

FeatureSchema table_schema(const FeatureConfig& config) {
    FeatureSchema all = feature_schema(config);
    if (!config.neighbours) return all;
    const FeatureSchema more = neighbour_columns();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

}  // namespace wsi
