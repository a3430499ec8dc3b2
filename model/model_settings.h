#pragma once

#include <string>
#include <vector>

namespace wsi {

/// Settings that suit a model better than the program's defaults, as "section.key=value": the
/// separation and the stain policy that a weights file carries in its metadata. None for
/// `classical`, and for a name or file that is not there (make_segmenter says so later). Throws
/// Error{Checkpoint} when the file is damaged.
std::vector<std::string> model_settings(const std::string& model);

}  // namespace wsi
