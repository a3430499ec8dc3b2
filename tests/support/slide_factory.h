#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/types/image.h"

namespace wsi::test {

/// Paints level-0 pixels of a rectangle that may leave the slide; called tile by tile, so that a
/// slide of any size is never whole in memory.
using PixelSource = std::function<void(const PixelRect& rect0, RgbView out)>;

struct SlideOptions {
    PixelSize size{1024, 1024};
    int tile_px = 256;
    std::vector<int> downsamples{1, 2, 4};  ///< of the levels; 1 first
    double mpp = 0.25;
    std::optional<double> objective_power = 40;
    int jpeg_quality = 0;                ///< 0 = lossless
    std::vector<int64_t> missing_tiles;  ///< of level 0, row by row: stored with zero bytes
    std::vector<int64_t> corrupt_tiles;  ///< of level 0: their bytes are not an image
    std::vector<int64_t> corrupt_last_level_tiles;
    /// Level-0 pixels after which the source repeats in x and y, 0 = never: each distinct tile is
    /// painted and compressed once, its bytes are copied. Whole tiles on every level.
    int64_t period_px = 0;
};

/// Aperio SVS, which OpenSlide opens as vendor `aperio`.
void write_svs(const std::string& path, const SlideOptions& options, const PixelSource& source);

/// Plain tiled pyramid; resolution in the TIFF tags only.
void write_generic_tiff(const std::string& path, const SlideOptions& options,
                        const PixelSource& source);

/// Leica SCN: `scan` lies at `offset` inside a larger collection, so OpenSlide reports bounds;
/// levels have the given sizes, whose ratios need not be whole numbers.
struct ScnOptions {
    PixelSize scan{2000, 1500};
    PixelPoint offset{300, 200};  ///< level-0 pixels from the collection's corner
    PixelSize collection{2600, 2000};
    std::vector<PixelSize> levels{{2000, 1500}, {611, 458}};
    int tile_px = 256;
    double mpp = 0.25;
    std::vector<int64_t> missing_tiles;
};
void write_leica_scn(const std::string& path, const ScnOptions& options, const PixelSource& source);

}  // namespace wsi::test
