#include "stages/table_schema.h"

#include "stages/features.h"
#include "stages/ihc.h"
#include "stages/neighbours.h"

namespace wsi {

namespace {

void replace(std::string& text, const std::string& from, const std::string& to) {
    if (const size_t at = text.find(from); at != std::string::npos)
        text.replace(at, from.size(), to);
}

void append(FeatureSchema& all, const FeatureSchema& more) {
    all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

FeatureSchema stained_schema(const FeatureConfig& features, StainSet stains) {
    FeatureSchema all = feature_schema(features);
    if (stains == StainSet::Hdab)
        for (FeatureColumn& column : all) {
            replace(column.name, "_E_", "_DAB_");
            replace(column.description, " of E ", " of DAB ");
        }
    return all;
}

FeatureSchema table_schema(const FeatureConfig& features, StainSet stains) {
    FeatureSchema all = stained_schema(features, stains);
    if (stains == StainSet::Hdab && features.stains_measured()) append(all, ihc_columns());
    if (features.neighbours_measured()) append(all, neighbour_columns());
    return all;
}

}  // namespace wsi
