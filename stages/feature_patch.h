#pragma once

#include <array>
#include <vector>

#include "stages/feature_statistics.h"
#include "stages/features.h"

namespace wsi::features {

enum Channel : size_t { kH, kE, kResidual, kRed, kGreen, kBlue, kGrey, kChannels };
inline constexpr std::array<const char*, kChannels> kChannelNames{"H", "E", "residual", "R",
                                                                  "G", "B", "grey"};

inline constexpr size_t kStains = 3;  ///< channels before kRed: densities, the others grey levels

/// The pixels of one part of a patch in raster order, channel by channel.
struct Samples {
    std::array<std::vector<float>, kStains> stains;
    std::array<std::vector<uint8_t>, kChannels - kStains> levels;
    void resize(size_t n) {
        for (auto& s : stains) s.resize(n);
        for (auto& l : levels) l.resize(n);
    }
};

/// The pixels in and around one nucleus, and which of them belong where.
struct Patch {
    PixelRect rect;  ///< work pixels: the nucleus's box and its margin, inside the window
    PixelRect box;   ///< of the nucleus, work pixels
    std::vector<float> density;                 ///< of the first stain, [height * width]
    std::vector<uint8_t> part;                  ///< 0 elsewhere, Part bits inside
    std::vector<uint32_t> nucleus, ring, edge;  ///< indices into density, raster order
    Samples in_nucleus, in_ring, in_edge;

    enum Part : uint8_t { kNucleus = 1, kRing = 2 };
    size_t width() const { return static_cast<size_t>(rect.width); }
    size_t height() const { return static_cast<size_t>(rect.height); }
    /// Whether the nucleus reaches the patch's border, as only the slide's end can make it.
    bool touches_end() const {
        return box.x == rect.x || box.y == rect.y || box.right() == rect.right() ||
               box.bottom() == rect.bottom();
    }
};

/// What Canny's filter sees around a pixel: Gaussian 4, Sobel 1, its neighbours 1.
inline constexpr int64_t kTextureMargin = 6;

/// Fills a patch. ring_px: the ring holds the pixels whose centre is at most that far from one of
/// the nucleus's and that belong to no nucleus.
void fill_patch(const NucleusPixels& nucleus, const PixelRect& box, int64_t ring_px,
                const Deconvolver& deconvolve, Patch& patch);

const FeatureSchema& intensity_columns(bool with_ring);
/// Sorts the patch's samples of the stains.
void compute_intensity(Patch& patch, bool with_ring, Summariser& summarise, float* out);

/// Gradient magnitude and Canny edges of the first stain's density in the nucleus.
class GradientFeatures {
public:
    static const FeatureSchema& columns();
    void operator()(const Patch& patch, Summariser& summarise, std::vector<float>& values,
                    float* out);

private:
    void smooth(const Patch& patch);
    void find_slopes(const Patch& patch);
    bool is_crest(size_t i, size_t width) const;
    size_t count_edges(const Patch& patch);
    std::vector<float> half_, padded_, smooth_, down_, right_, slope_;
    std::vector<uint8_t> state_;
    std::vector<uint32_t> open_;
};

/// Haralick's features of the first stain's density, pairs of pixels inside the nucleus only.
class HaralickFeatures {
public:
    void set_levels(int levels) { levels_ = levels; }  ///< 2..32
    static const FeatureSchema& columns();
    void operator()(const Patch& patch, float* out);

private:
    static constexpr size_t kMostLevels = 32, kFeatures = 13;
    struct Sums;
    /// Twice the pairs of an offset; counts_ and touched_ hold them.
    uint32_t count_pairs(const Patch& patch, size_t offset);
    /// One offset's matrix into the features; false when there is no pair.
    bool measure(const Patch& patch, size_t offset, std::array<double, kFeatures>& out);
    int levels_ = 32;
    bool at_end_ = false;  // whether the nucleus touches the first or last column of the patch
    std::vector<uint8_t> grey_;
    std::array<uint32_t, kMostLevels * kMostLevels> counts_{};  // i ≤ j; zero between calls
    std::vector<uint16_t> touched_;
};

}  // namespace wsi::features
