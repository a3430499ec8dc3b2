#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "config/config.h"
#include "io/types/image.h"
#include "io/types/work_frame.h"

namespace wsi {

/// What tells the middle of a nucleus from its border: a map of its own, or how deep a pixel lies
/// in the mask.
enum class Depth { OfMap, OfMask };

/// Separation parameters in work pixels and map units, derived once from micrometres.
struct SeparateParams {
    uint8_t threshold = 128;   ///< mask: probability ≥ threshold
    int smoothing_radius = 2;  ///< of the integer Gaussian on the distance map, 0 = none
    double smoothing_sigma = 1;
    uint8_t h = 20;  ///< depth of a marker, 0..255
    int min_area_px = 32;
    int hole_area_px = 60;
    int hole_side_px = 16;     ///< a hole's box is at most this wide and high
    int reach_px = 32;         ///< steps of the flood = half side of its box
    int marker_reach_px = 24;  ///< half side of the box in which a higher peak is looked for
    int depth_reach_px =
        0;  ///< > 0: heights are depths in the mask, to this distance (kFullDepthUm)

    static SeparateParams from(const SeparateConfig& config, const WorkFrame& frame,
                               Depth depth = Depth::OfMap);
    /// How far from a region the maps must be known so that everything about each nucleus whose
    /// centroid lies in the region, its contour included, is exact. The sum of all reaches; the
    /// proof is in the .cpp.
    int halo_px() const;
};

/// Scratch of one thread; reused so that the steady state does not allocate.
struct SeparateScratch;

/// Labels every nucleus of a window by local rules only (docs/separation.md), so that the label
/// image of a region does not depend on the window beyond halo_px():
///   mask -> small holes filled -> smoothed distance (of the map, or depth in the mask) ->
///   markers = box-limited h-maxima
///   -> N-step synchronous flood -> the 4-connected piece that holds the marker -> holes filled ->
///   small dropped.
/// probability, distance: [H, W] uint8, same size; the distance map is empty when
/// params.depth_reach_px > 0. labels: [H, W] uint32, 0 background; other
/// values are ranks of markers in raster order of the window (1..n) and mean nothing outside the
/// window. Pixels outside the slide must be passed as probability 0.
class Separator {
public:
    explicit Separator(const SeparateParams& params);
    ~Separator();
    /// Takes the memory that windows up to this size need beside their maps and labels.
    void reserve(PixelSize size);
    struct Result {
        uint32_t count = 0;        ///< labels run 1..count; some may own no pixel
        std::vector<uint8_t> cut;  ///< [count + 1] 1 where the flood ended at its reach
    };
    Result operator()(ConstGrayView probability, ConstGrayView distance,
                      ImageView<uint32_t> labels) const;

private:
    SeparateParams params_;
    std::unique_ptr<SeparateScratch> scratch_;  // one Separator per thread
};

}  // namespace wsi
