#pragma once

#include <array>
#include <cmath>
#include <span>
#include <string>
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

/// One stain's density around the pixels whose texture is measured.
struct Texture {
    size_t width = 0, height = 0;
    const float* density = nullptr;     ///< [height * width]
    const uint8_t* part = nullptr;      ///< [height * width], Patch::Part
    Patch::Part own = Patch::kNucleus;  ///< which of them are measured
    std::span<const uint32_t> pixels;   ///< those, indices in raster order
    bool at_end = false;                ///< whether they may touch the end of density
};

/// That of the first stain in the nucleus, on the patch's own pixels.
Texture nucleus_texture(const Patch& patch);

/// Pixels that texture is read from: their frame's, `per_work` of them along a work pixel's side.
struct TextureGrid {
    double per_work = 1;
    /// The texture pixels that lie in a rectangle of work pixels, and kTextureMargin around them.
    PixelRect around(const PixelRect& work) const;
    /// The work pixel, counted along one axis, that holds a texture pixel's centre.
    int64_t work_of(int64_t texture_px) const {
        return static_cast<int64_t>(std::floor((static_cast<double>(texture_px) + 0.5) / per_work));
    }
};

/// Density of a part of a patch on pixels of their own: wider, or finer, than the patch's.
class TexturePatch {
public:
    /// own: of the patch, at most reach_px from its box. rgb: covers what grid.around() says of
    /// that, but for what lies off the slide; origin: texture coordinates of rgb (0, 0).
    Texture operator()(const Patch& patch, Patch::Part own, int64_t reach_px,
                       const TextureGrid& grid, ConstRgbView rgb, PixelPoint origin,
                       const Deconvolver& deconvolve, size_t stain);

private:
    void fill_parts(const Patch& patch, const TextureGrid& grid, const PixelRect& rect);
    std::vector<float> density_;
    std::vector<uint8_t> part_;
    std::vector<int64_t> column_;  // of the patch, by column
    std::vector<uint32_t> pixels_;
};

/// Gradient magnitude and Canny edges of a density.
class GradientFeatures {
public:
    /// place: "nucleus_H", how columns begin; what: "H in the nucleus".
    static FeatureSchema columns(const std::string& place, const std::string& what);
    static constexpr size_t kColumns = 8;
    void operator()(const Texture& texture, std::vector<float>& values, float* out);

private:
    void smooth(const Texture& texture);
    void find_slopes(size_t width, size_t height);
    bool is_crest(size_t i, size_t width) const;
    size_t count_edges(const Texture& texture);
    std::vector<float> half_, padded_, smooth_, down_, right_, slope_;
    std::vector<uint8_t> state_;
    std::vector<uint32_t> open_;
};

/// What the grey levels of a co-occurrence matrix span: the same densities for every nucleus and
/// slide, or those from the least to the greatest that is measured.
enum class Grey { Fixed, Own };

/// Haralick's features of a density, pairs of pixels that are both measured only.
class HaralickFeatures {
public:
    /// levels: 2..32
    void set_levels(int levels, Grey grey) {
        levels_ = levels;
        spans_ = grey;
    }
    static FeatureSchema columns(const std::string& place, const std::string& what);
    static constexpr size_t kFeatures = 13, kColumns = 2 * kFeatures;
    void operator()(const Texture& texture, float* out);

private:
    static constexpr size_t kMostLevels = 32;
    struct Sums;
    /// Twice the pairs of an offset; counts_ and touched_ hold them.
    uint32_t count_pairs(const Texture& texture, size_t offset);
    /// One offset's matrix into the features; false when there is no pair.
    bool measure(const Texture& texture, size_t offset, std::array<double, kFeatures>& out);
    /// Fills grey_.
    void find_levels(const Texture& texture);
    int levels_ = 32;
    Grey spans_ = Grey::Fixed;
    std::vector<uint8_t> grey_;
    std::array<uint32_t, kMostLevels * kMostLevels> counts_{};  // i ≤ j; zero between calls
    std::vector<uint16_t> touched_;
};

}  // namespace wsi::features
