#pragma once

#include <array>
#include <string_view>

#include "io/result_store.h"

// Names shared by the writer and the reader of result files; docs/outputs.md describes them.
namespace wsi::layout {

inline constexpr const char* kFormat = "wsi-segment";

/// Identity columns of /nuclei that are float32; the rest is written by type.
struct FloatColumn {
    const char* name;
    const char* unit;
    const char* description;
    float NucleusIdentity::*member;
};
inline constexpr FloatColumn kFloatColumns[] = {
    {"centroid_x_um", "um", "centroid from the slide's left, in micrometres",
     &NucleusIdentity::centroid_x_um},
    {"centroid_y_um", "um", "centroid from the slide's top, in micrometres",
     &NucleusIdentity::centroid_y_um},
    {"bbox_x0_px", "px", "left of the contour's box, level-0 pixels", &NucleusIdentity::bbox_x0_px},
    {"bbox_y0_px", "px", "top of the contour's box, level-0 pixels", &NucleusIdentity::bbox_y0_px},
    {"bbox_x1_px", "px", "right of the contour's box, level-0 pixels",
     &NucleusIdentity::bbox_x1_px},
    {"bbox_y1_px", "px", "bottom of the contour's box, level-0 pixels",
     &NucleusIdentity::bbox_y1_px},
    {"class_probability", "1", "probability of the class", &NucleusIdentity::class_probability},
    {"detection_probability", "1", "mean of the probability map inside",
     &NucleusIdentity::detection_probability},
    {"tissue_fraction", "1", "share of its pixels on the tissue mask or region of interest",
     &NucleusIdentity::tissue_fraction},
};

/// Formats with geometry have its box anyway.
inline bool is_box(const FloatColumn& column) {
    return std::string_view(column.name).starts_with("bbox");
}

struct FlagColumn {
    const char* name;
    const char* description;
    NucleusFlag flag;
};
inline constexpr FlagColumn kFlagColumns[] = {
    {"at_slide_edge", "1 when it touches the end of the slide", kAtSlideEdge},
    {"at_roi_edge", "1 when it touches pixels outside the tissue mask or region of interest",
     kAtRoiEdge},
    {"cut_at_reach", "1 when it may be larger than the separation's reach", kCutAtReach},
    {"on_artefact", "1 when at least half of its pixels are ink, soot or black", kOnArtefact},
};

/// Columns of /summary: names of features, how many nuclei have a value, and of those values.
inline constexpr const char* kFeature = "feature";
inline constexpr const char* kDefined = "defined";
inline constexpr std::array kStatistics{"mean",   "sd",        "minimum", "quartile1",
                                        "median", "quartile3", "maximum"};

inline const char* raster_name(Raster raster) {
    static constexpr const char* kNames[] = {"mask", "labels", "probability", "distance",
                                             "class_maps"};
    return kNames[static_cast<size_t>(raster)];
}

}  // namespace wsi::layout
