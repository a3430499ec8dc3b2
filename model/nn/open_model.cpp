#include "model/nn/open_model.h"

#include "io/weights_file.h"
#include "model/network_settings.h"
#include "model/nn/cellvit.h"
#include "model/nn/execution.h"
#include "model/nn/foreign_segmenter.h"
#include "model/nn/hovernet.h"
#include "model/nn/network_segmenter.h"
#include "model/nn/script_network.h"

namespace wsi::nn {

std::unique_ptr<ForeignNetwork> open_foreign(const std::string& weights) {
    if (is_torch_script(weights)) return open_script(weights);
    const WeightsFile file(weights);
    if (is_hovernet(file)) return open_hovernet(weights);
    if (is_cellvit(file)) return open_cellvit(weights);
    return nullptr;
}

std::unique_ptr<Segmenter> open_model(const std::string& weights, const ModelConfig& config,
                                      const std::string& device) {
    if (auto foreign = open_foreign(weights)) {
        refuse_network_settings(config, device,
                                ": " + foreign->spec().name +
                                    " runs in fp32 on the CPU alone, on tiles of its own size; "
                                    "leave it out");
        return std::make_unique<ForeignSegmenter>(std::move(foreign));
    }
    return std::make_unique<NetworkSegmenter>(weights, config, execution_of(config, device));
}

}  // namespace wsi::nn
