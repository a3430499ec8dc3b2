#pragma once

#include <string>
#include <vector>

#include "io/datasets/outlines.h"

namespace wsi {

/// Annotations/Annotation/Regions/Region/Vertices/Vertex[@X, @Y] of an Aperio ImageScope file.
struct AperioXml {
    double mpp = 0;  ///< MicronsPerPixel, 0 = not stated
    std::vector<Outline> regions;
};

/// Reads just that structure: no entities, no CDATA. Throws Error{Config} for a file that is cut
/// off or has vertices without numbers.
AperioXml read_aperio_xml(const std::string& path);

}  // namespace wsi
