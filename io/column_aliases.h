#pragma once

#include <string>
#include <vector>

#include "io/column_naming.h"

// Which of our columns another tool has, under which name. Internal to io/column_*.cpp.
namespace wsi {

enum class Definition {
    Same,
    Other  ///< the same thing measured otherwise: written with --loose-names only
};

enum class Convert {
    Nothing,
    Pixels,           ///< from micrometres, by the unit's power, to level-0 pixels
    Degrees,          ///< from radians
    Decadic,          ///< from natural-log optical density
    Variance,         ///< from the standard deviation
    DecadicVariance,  ///< both
    Eigenvalue,       ///< of the covariance, from the axis of the ellipse
    UnitInterval,     ///< from 0..255
    PixelCentre,      ///< a place counted with pixel centres at whole numbers
    CentreOfMassX,    ///< from its distance in micrometres to the centroid, counted likewise
    CentreOfMassY,
    QupathX,  ///< a place in micrometres from the corner of the slide's bounds
    QupathY,
};

/// Stands in names for the resolution that was measured at, two decimals.
inline constexpr const char* kResolution = "x.xx";

struct Alias {
    std::string ours, theirs;
    Definition definition = Definition::Same;
    Convert convert = Convert::Nothing;
};

/// Empty for Naming::Ours. One of ours may have several names, and several of ours one (in pixels
/// and in micrometres).
const std::vector<Alias>& aliases_of(Naming naming);

}  // namespace wsi
