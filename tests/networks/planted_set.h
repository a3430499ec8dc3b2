#pragma once

#include <filesystem>

#include "tests/support/planted.h"

namespace wsi::test {

/// `images` pictures of `side` px with stained nuclei of some 8 px, and their labels, as a data set
/// with two organs at 0.5 µm per pixel: "liver", and "skin" for the last two.
void write_planted_set(const std::filesystem::path& folder, int images, int side);

}  // namespace wsi::test
