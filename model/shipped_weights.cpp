#include "model/shipped_weights.h"

#include <algorithm>
#include <filesystem>

namespace wsi {

namespace fs = std::filesystem;

namespace {
constexpr const char* kSuffix = ".safetensors";

fs::path folder() {
    // Installed: <prefix>/bin/wsi-segment and <prefix>/share/wsi-segment/models.
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path installed = program.parent_path().parent_path() / "share/wsi-segment/models";
    return !error && fs::is_directory(installed) ? installed : fs::path(WSI_SOURCE_WEIGHTS);
}
}  // namespace

std::vector<std::string> shipped_weights() {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder(), ignored))
        if (entry.path().extension() == kSuffix) names.push_back(entry.path().stem().string());
    std::ranges::sort(names);
    return names;
}

std::string shipped_weights_file(const std::string& name) {
    const fs::path file = folder() / (name + kSuffix);
    std::error_code ignored;
    const bool plain = name.find('/') == std::string::npos;
    return plain && fs::is_regular_file(file, ignored) ? file.string() : "";
}

}  // namespace wsi
