#pragma once

#include <array>
#include <cstdint>

#include "stages/metrics.h"

namespace wsi {

using Rgb = std::array<uint8_t, 3>;

/// What outlines of an overlay say. Told apart without red against green, and on pink and violet.
inline constexpr Rgb kHitColour{0, 255, 190};     ///< found, IoU > 0.5 with a true nucleus
inline constexpr Rgb kMissedColour{255, 220, 0};  ///< a true nucleus without such a partner
inline constexpr Rgb kFalseColour{255, 60, 0};    ///< found without such a partner

/// The picture with the outlines of every nucleus that was found (hit or false) and of every true
/// nucleus that was missed, one pixel wide and inside the nucleus. Where outlines cross, missed
/// lies over false, and false over hit. rgb [H, W, 3]; truth, found [H, W] ids, 0 = background; all
/// of one size, else Error{Config}.
RgbImage error_overlay(ConstRgbView rgb, ConstLabelView truth, ConstLabelView found);

}  // namespace wsi
