#include "model/model_settings.h"

#include <filesystem>

#include "io/weights_file.h"
#include "model/shipped_weights.h"

namespace wsi {

std::vector<std::string> model_settings(const std::string& model) {
    const std::string shipped = shipped_weights_file(model);
    const std::string& file = shipped.empty() ? model : shipped;
    std::error_code ignored;
    if (!file.ends_with(".safetensors") || !std::filesystem::is_regular_file(file, ignored))
        return {};
    std::vector<std::string> settings;
    const WeightsFile weights(file);
    for (const auto& [key, value] : weights.metadata())
        if (key.starts_with("separate.") || key.starts_with("stain.") ||
            key == "model.haematoxylin_weight")
            settings.push_back(key + "=" + value);
    return settings;
}

}  // namespace wsi
