#pragma once

#include <string>
#include <vector>

namespace wsi {

/// Names of the weights that ship with the program (share/wsi-segment/models when installed,
/// model/weights in the source tree), sorted.
std::vector<std::string> shipped_weights();

/// File of a shipped model; empty when there is none of that name.
std::string shipped_weights_file(const std::string& name);

}  // namespace wsi
