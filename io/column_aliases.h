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
    Pixels,       ///< from micrometres, by the unit's power, to level-0 pixels
    Degrees,      ///< from radians
    Decadic,      ///< from natural-log optical density
    UnitInterval  ///< from 0..255
};

struct Alias {
    std::string ours, theirs;
    Definition definition = Definition::Same;
    Convert convert = Convert::Nothing;
};

/// Empty for Naming::Ours; each of our names at most once.
const std::vector<Alias>& aliases_of(Naming naming);

}  // namespace wsi
