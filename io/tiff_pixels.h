#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/slide.h"
#include "io/types/idle_workers.h"

namespace wsi {

/// The pixels of pyramid TIFFs whose levels are ordinary tiled images (Aperio, generic), decoded by
/// libtiff alone. OpenSlide paints each tile of a smaller level between pixels, because the ratio
/// it derives from rounded sizes is never quite whole: that costs ten times as much as decoding and
/// blurs. Level 0 has OpenSlide's very bytes. Thread-safe.
class TiffPixels {
public:
    /// vendor: OpenSlide's. A level is known when it has the size and the tiles of just one image
    /// of the file, RGB of 8 bits.
    TiffPixels(const std::string& path, const std::string& vendor,
               std::span<const SlideLevel> levels);
    ~TiffPixels();
    /// False, and `out` undefined, where the level is not known or a tile is missing, or anything
    /// is wrong with it: then OpenSlide is asked. rect_lvl must lie inside the level.
    bool read(int level, const PixelRect& rect_lvl, RgbView out) const;

private:
    class Reader;
    struct Level {
        uint32_t directory = 0;
        PixelSize tile;
        IdleWorkers<Reader> readers;
    };
    std::string path_;
    std::vector<std::unique_ptr<Level>> levels_;  ///< nullptr: not known
};

}  // namespace wsi
