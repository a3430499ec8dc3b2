#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wsi {

/// Resolution in micrometres per pixel.
struct Mpp {
    double value = 0;
    friend bool operator==(const Mpp&, const Mpp&) = default;
};

/// Every struct below has defaults here and nowhere else, and one `visit` in config/fields.h that
/// names each key once; YAML, `--set`, docs/config.md and the resume hash all come from there.

/// How a slide is read.
struct SlideConfig {
    double mpp = 0;  ///< overrides the slide's own resolution; 0 = use the slide's
    double max_failed_fraction =
        0.01;  ///< of the tissue area; more (and > 1 block) fails the slide
};

struct TissueConfig {
    double mpp = 8;              ///< resolution of the tissue mask
    double min_area_um2 = 4000;  ///< smaller pieces are dropped
    double margin_um = 16;       ///< the mask is grown by this much
};

enum class StainMethod { Macenko, Reinhard, Vahadane, None };
enum class StainSet { He, Hdab };  ///< which pair of stains the slide carries

struct StainConfig {
    StainMethod method = StainMethod::Macenko;
    StainSet stains = StainSet::He;
    int sample_pixels = 200000;  ///< pooled tissue pixels of one fit
};

struct TilingConfig {
    int region_px = 2048;  ///< nominal side of a region in work pixels, snapped to tiles
};

struct ModelConfig {
    std::string name = "classical";
    double work_mpp = 0;  ///< 0 = the model's own resolution
    int batch = 4;        ///< tiles per batch
};

/// Separation of nuclei on (probability, distance) maps; lengths in micrometres so that they hold
/// at any work resolution.
struct SeparateConfig {
    double threshold = 0.5;     ///< probability from which a pixel is nucleus, 0..1
    double smoothing_um = 0.5;  ///< Gaussian sigma on the distance map
    double h = 0.08;            ///< a marker rises by this much above its saddle, 0..1
    double min_area_um2 = 16;   ///< smaller nuclei are dropped
    double hole_area_um2 = 15;  ///< smaller holes in the mask are filled
    double reach_um = 16;       ///< a nucleus ends at this distance from its marker
};

struct RunConfig {
    int threads = 0;         ///< 0 = all cores
    int64_t memory_mib = 0;  ///< 0 = 1400; bounds slots, open regions and caches
    std::string device = "auto";
    bool keep_maps = false;
    uint64_t seed = 20240917;
};

struct Config {
    SlideConfig slide;
    TissueConfig tissue;
    StainConfig stain;
    TilingConfig tiling;
    ModelConfig model;
    SeparateConfig separate;
    RunConfig run;
};

}  // namespace wsi
