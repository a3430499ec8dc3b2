#include "model/classical.h"
#include "model/network_library.h"

namespace wsi {

std::unique_ptr<Segmenter> make_segmenter(const ModelConfig& config) {
    if (config.name == "classical") return std::make_unique<ClassicalSegmenter>();
    if (config.name.ends_with(".safetensors")) return network_library().open_segmenter(config.name);
    fail(ErrorKind::Config, "model.name: unknown segmenter '", config.name,
         "'; known: classical, or a weights file .safetensors");
}

}  // namespace wsi
