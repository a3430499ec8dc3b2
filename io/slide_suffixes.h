#pragma once

#include <set>
#include <string>

namespace wsi {

/// What files that may be slides end in; lower case, with the dot.
inline const std::set<std::string>& slide_suffixes() {
    static const std::set<std::string> suffixes{
        ".svs",     ".tif", ".tiff", ".ndpi", ".scn", ".mrxs", ".vms", ".vmu", ".bif",
        ".svslide", ".czi", ".dcm",  ".png",  ".jpg", ".jpeg", ".jp2", ".vsi", ".isyntax"};
    return suffixes;
}

}  // namespace wsi
