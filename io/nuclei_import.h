#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/result_store.h"
#include "io/roi.h"
#include "io/types/nucleus.h"
#include "io/types/work_frame.h"

namespace wsi {

/// A nucleus as another tool tells it: an outline, or pixels.
struct ForeignNucleus {
    uint64_t source = 0;         ///< its number in the file: the label, else its place from 1 on
    std::vector<RoiPoint> ring;  ///< level-0 pixels, origin at the slide's corner, closed
                                 ///< implicitly; empty when there are runs
    double grow_px = 0;          ///< level-0 pixels that the outline lies inside of the border:
                                 ///< half a pixel of it when drawn through centres of pixels
    std::vector<PixelRun> runs;  ///< work pixels in raster order
    uint8_t class_id = 1;        ///< in ForeignClasses
    float class_probability = NAN, detection_probability = NAN;
};

/// Classes of a file of nuclei, numbered from 1 in the order in which they come.
class ForeignClasses {
public:
    /// `key`: what the file calls it; `rgb` when it says. Throws Error{Config} for the 256th.
    uint8_t id_of(const std::string& key, std::optional<std::array<uint8_t, 3>> rgb = {});
    /// Another name for a key, e.g. from a table at the end of the file.
    void rename(const std::string& key, const std::string& name);
    std::vector<NucleusClass> all() const;

private:
    std::vector<std::string> keys_;
    std::vector<NucleusClass> classes_;
};

/// What the readers need to know of the slide.
struct ForeignFrame {
    SlideInfo slide;
    WorkFrame frame;
    PixelPoint origin0;       ///< level-0 point that GeoJSON calls (0, 0)
    double most_side_px = 0;  ///< work pixels; nothing longer is a nucleus
};

/// Where nuclei go, in the file's order.
struct NucleiSink {
    std::function<void(ForeignNucleus&&)> nucleus;
    std::function<void(const std::string& why)> unreadable;  ///< one record that was not understood
    std::function<void(double fraction)> progress;
};

/// Streams the nuclei of a file; memory does not grow with their number. By suffix, then by
/// content:
///   .tif .tiff .png        label image over the slide, at any resolution; a mask of one value
///   .geojson .json [.gz]   GeoJSON (QuPath, ours), CellViT's cells, HoVer-Net's nuclei
///   .db                    TIAToolbox's AnnotationStore
/// Throws Error{Config} with the complete line for a file that is none of these, is truncated, or
/// does not fit the slide.
void read_foreign_nuclei(const std::string& path, const ForeignFrame& frame,
                         ForeignClasses& classes, const NucleiSink& sink);

/// The single formats; called by read_foreign_nuclei().
void read_nuclei_json(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
                      const NucleiSink& sink);
void read_nuclei_labels(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
                        const NucleiSink& sink);
void read_nuclei_store(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
                       const NucleiSink& sink);

}  // namespace wsi
