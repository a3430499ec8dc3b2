#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "io/result_store.h"
#include "io/types/image.h"
#include "io/types/tile.h"
#include "stages/stain.h"

namespace wsi {

/// What a segmenter wants to see and says; part of what makes a saved part valid.
struct InputSpec {
    std::string name;        ///< "classical", "eunet3plus", ...
    Mpp mpp{0.5};            ///< resolution it was made for
    int core_px = 512;       ///< side of the part of a tile that counts
    int halo_px = 32;        ///< context around the core; input side = core + 2 halo
    int feather_px = 0;      ///< overlap with the next tile that is blended; ≤ halo, ≤ core / 2
    bool normalised = true;  ///< wants stain-normalised pixels
    bool distance = true;    ///< fills a distance map; else separation measures the mask itself
    std::vector<NucleusClass> classes;  ///< fills a map for each; empty = knows none
    std::string hash;                   ///< of weights and settings
    int input_px() const { return core_px + 2 * halo_px; }
    /// Places in TileSlot::maps of the maps it fills, rising.
    std::vector<size_t> maps() const;
};

/// The maps a segmenter fills, uint8: probability of nucleus (255 = 1); a distance-like map, high
/// in the middle of a nucleus (255 = its maximum), low at borders and between touching ones; then
/// for each class the probability that a pixel is nucleus of that class (background has none).
enum MapIndex : size_t { kProbability = 0, kDistance = 1, kMapCount = 2, kFirstClass = kMapCount };

inline std::vector<size_t> InputSpec::maps() const {
    std::vector<size_t> places{kProbability};
    if (distance) places.push_back(kDistance);
    for (size_t c = 0; c < classes.size(); ++c) places.push_back(kFirstClass + c);
    return places;
}

/// The raster and its layer in which a map is kept.
struct KeptRaster {
    Raster raster;
    size_t layer;
};
inline KeptRaster kept_raster(size_t place) {
    if (place >= kFirstClass) return {Raster::ClassMaps, place - kFirstClass};
    return {place == kProbability ? Raster::Probability : Raster::Distance, 0};
}

enum class TileState : uint8_t {
    Pending,
    Done,
    Dropped  ///< not processed because the run is being stopped
};

/// Pixel memory of one tile; its one owner. A pointer to it is the token that bounds the graph.
struct TileSlot {
    int id = 0;
    TileIndex tile;
    TileState state = TileState::Pending;
    PixelRect inside;     ///< part of the input square that lies on the slide, in the square's
                          ///< pixels; beyond it the square is background
    RgbImage rgb;         ///< input square, the slide's own colours
    RgbImage normalised;  ///< the same after stain normalisation
    /// Input square each, by MapIndex; those that the segmenter does not fill are empty.
    std::vector<GrayImage> maps = std::vector<GrayImage>(kMapCount);
};

/// Pixels pooled from tissue over the whole slide, for what must be fitted once per slide.
struct SlideSample {
    /// Squares of work pixels, white where there is no tissue, stain-normalised if the spec says
    /// so.
    std::vector<RgbImage> patches;
    StainSet stains = StainSet::He;
};

/// Segments batches of tiles. segment() is called by up to `max_concurrency()` threads at once.
class Segmenter {
public:
    virtual ~Segmenter() = default;
    virtual const InputSpec& input_spec() const = 0;
    /// Batches that may run at once; 1 for a device that is driven by one thread.
    virtual int max_concurrency() const { return 1 << 20; }
    /// Memory that one running segment() takes beyond its slots; part of the memory plan.
    virtual int64_t working_bytes() const { return 0; }
    /// Memory that all of them share: weights.
    virtual int64_t shared_bytes() const { return 0; }
    /// True: segment() runs on a dedicated thread, outside the CPU pool (a CUDA device).
    virtual bool owns_thread() const { return false; }
    /// Slide-wide parameters (e.g. a threshold); saved in the journal and given to every batch.
    virtual std::vector<double> fit_slide(const SlideSample&) const { return {}; }
    /// Fills `maps` of every slot. A slot's maps depend on its own pixels and slide_params alone.
    virtual void segment(std::span<TileSlot* const> batch,
                         std::span<const double> slide_params) = 0;
};

/// By name or weights file; device as run.device. Throws Error{Config} that lists the names known,
/// Error{Device} when the device is not there or has not the memory.
std::unique_ptr<Segmenter> make_segmenter(const ModelConfig& config,
                                          const std::string& device = "auto");

}  // namespace wsi
