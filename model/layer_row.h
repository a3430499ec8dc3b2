#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wsi {

/// One step of a network in the order of its forward pass: what `model info --layers` shows.
struct LayerRow {
    std::string name;  ///< of the module, as its parameters are named; "-" when it has none
    std::string kind;  ///< conv2d, linear, batch_norm, products, …
    std::vector<int64_t> shape;  ///< of its result
    int64_t parameters = 0;
    /// 2 per multiply-add of convolutions, linear maps and matrix products; what else is done
    /// counts as 0.
    int64_t flops = 0;
};

}  // namespace wsi
