#pragma once

#include <optional>
#include <string>

#include "io/slide.h"

namespace wsi {

/// Micrometres per level-0 pixel that can be true of a slide or a flat image of tissue.
inline constexpr double kLeastMpp = 0.02, kMostMpp = 100;

/// What a file says about its resolution; each may be missing or absurd.
struct StatedResolution {
    std::optional<double> mpp_x, mpp_y;    ///< the slide's own
    std::optional<double> tiff_x, tiff_y;  ///< from resolution tags
    std::optional<double> objective_power;
};

/// Finds the resolution to use: override, the slide's own, TIFF tags, objective power (with a
/// warning). Fills mpp_x, mpp_y, mpp_source, objective_power and warnings of `info`; throws
/// Error{Slide} that names what was found and --slide-mpp.
void resolve_mpp(const StatedResolution& stated, double override_mpp, SlideInfo& info);

/// A number written with point or comma; nothing for anything else.
std::optional<double> parse_decimal(const char* text);

}  // namespace wsi
