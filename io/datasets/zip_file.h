#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/datasets/bytes.h"

namespace wsi {

/// Name and content of every file of a ZIP archive (stored or deflated), by name. For small
/// archives such as ImageJ's ROI sets. Throws Error{Config} for damage, encryption, ZIP64 and
/// members of more than 64 MiB.
std::vector<std::pair<std::string, std::vector<std::byte>>> read_zip(const std::string& path);

}  // namespace wsi
