#pragma once

#include <string>

#include "io/export.h"
#include "pipeline/compare.h"

namespace wsi {

/// Both as people read them; names: how A and B are called.
std::string comparison_markdown(const Comparison& comparison, const std::string& name_a,
                                const std::string& name_b);

/// `quantity,a,b,difference,absolute_difference,pairs,unit`: counts and scores, then columns.
std::string comparison_csv(const Comparison& comparison);

/// GeoJSON for QuPath: what is only in A, only in B, or drawn otherwise (matched with IoU < 0.75),
/// as detections with a class, a colour and the best IoU. `.gz` packs.
void write_difference_layer(const std::string& path, const ResultReader& a, const ResultReader& b,
                            const Comparison& comparison, Frame frame);

}  // namespace wsi
