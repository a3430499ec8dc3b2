#pragma once

#include <string>

namespace wsi::nn {

/// NetworkLibrary::self_test (model/network_library.h).
std::string self_test();

}  // namespace wsi::nn
