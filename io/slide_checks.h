#pragma once

#include "io/slide.h"

namespace wsi {

/// Refuses slides that are not stained brightfield, by name: fluorescence on black ground,
/// greyscale. Looks at a coarse overview. Throws Error{Slide}.
void check_brightfield(const Slide& slide);

}  // namespace wsi
