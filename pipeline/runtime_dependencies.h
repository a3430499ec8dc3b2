#pragma once

#include <vector>

#include "io/dependencies.h"

namespace wsi {

/// TBB and OpenCV, each after a small test; LibTorch, too, which loads it (some seconds).
std::vector<DependencyReport> check_runtime_libraries();

}  // namespace wsi
