#pragma once

#include <array>
#include <vector>

namespace wsi {

/// Places of vectors of one length on the two axes along which they vary most (principal
/// components), mean at the origin; the sign of an axis makes its largest value positive. Fewer
/// than two vectors, or none that differ: zeros.
std::vector<std::array<double, 2>> principal_places(const std::vector<std::vector<float>>& vectors);

}  // namespace wsi
