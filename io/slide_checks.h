#pragma once

#include "io/slide.h"

namespace wsi {

/// Refuses slides that are not brightfield: fluorescence on black ground, by name. Looks at a
/// coarse overview. Throws Error{Slide}.
void check_brightfield(const Slide& slide);

}  // namespace wsi
