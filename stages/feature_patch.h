#pragma once

#include <array>
#include <vector>

#include "stages/feature_statistics.h"
#include "stages/features.h"

namespace wsi::features {

enum Channel : size_t { kH, kE, kResidual, kRed, kGreen, kBlue, kGrey, kChannels };
inline constexpr std::array<const char*, kChannels> kChannelNames{"H", "E", "residual", "R",
                                                                  "G", "B", "grey"};

/// The pixels in and around one nucleus, channel by channel, and which of them belong where.
struct Patch {
    PixelRect rect;  ///< work pixels: the nucleus's box and its margin, inside the window
    std::array<std::vector<float>, kChannels> planes;  ///< [height * width] each
    std::vector<uint8_t> part;                         ///< 0 elsewhere, Part bits inside
    std::vector<uint32_t> nucleus, ring, edge;         ///< indices into the planes, raster order

    enum Part : uint8_t { kNucleus = 1, kRing = 2 };
    size_t width() const { return static_cast<size_t>(rect.width); }
    size_t height() const { return static_cast<size_t>(rect.height); }
};

/// What Canny's filter sees around a pixel: Gaussian 4, Sobel 1, its neighbours 1.
inline constexpr int64_t kTextureMargin = 6;

/// Fills a patch. ring_px: the ring holds the pixels whose centre is at most that far from one of
/// the nucleus's and that belong to no nucleus.
void fill_patch(const NucleusPixels& nucleus, const PixelRect& box, int64_t ring_px,
                const Deconvolver& deconvolve, Patch& patch);

const FeatureSchema& intensity_columns(bool with_ring);
/// values: scratch.
void compute_intensity(const Patch& patch, bool with_ring, Summariser& summarise,
                       std::vector<float>& values, float* out);

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
    /// One offset's matrix into the features; false when there is no pair.
    bool measure(const Patch& patch, size_t offset, std::array<double, kFeatures>& out);
    int levels_ = 32;
    std::vector<uint8_t> grey_;
    std::array<uint32_t, kMostLevels * kMostLevels> counts_{};  // i ≤ j; zero between calls
    std::vector<uint16_t> touched_;
};

}  // namespace wsi::features
