#pragma once

#include "io/result_store.h"
#include "io/types/image.h"

namespace wsi {

/// A small picture of a result, painted from its tissue mask and nuclei alone: the slide may be
/// gone. White glass, pale tissue, the darker the more of a pixel nuclei cover.
class Overview {
public:
    /// Sides are at most `most_px`.
    Overview(const ResultHeader& header, int64_t most_px);
    void add(const NucleusIdentity& nucleus);
    RgbImage image() const;
    /// Pixels of the picture per level-0 pixel.
    double scale() const { return 1 / side_px_; }

private:
    const ResultHeader& header_;
    int64_t cells_ = 1;   ///< tissue cells per pixel and axis
    double side_px_ = 1;  ///< of a pixel, in level-0 pixels
    Image<uint32_t> counts_;
};

}  // namespace wsi
