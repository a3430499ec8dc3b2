#include "model/classical.h"

namespace wsi {

std::unique_ptr<Segmenter> make_segmenter(const ModelConfig& config) {
    if (config.name == "classical") return std::make_unique<ClassicalSegmenter>();
    fail(ErrorKind::Config, "model.name: unknown segmenter '", config.name,
         "'; known names: classical");
}

}  // namespace wsi
