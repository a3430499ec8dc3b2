#pragma once

#include <memory>
#include <span>
#include <vector>

#include "io/types/idle_workers.h"
#include "io/types/image.h"
#include "model/nn/execution.h"
#include "model/nn/network.h"

namespace wsi::nn {

/// What a network is shown, and where its maps go.
struct Picture {
    ConstRgbView rgb;
    at::Tensor embedding;  ///< [1, E, h, w] of what it shows; undefined without an encoder
    /// Probability of nucleus, distance, then one for each class; empty ones are not wanted.
    std::vector<GrayView> maps;
};

/// Forward passes of a network over pictures, 8-bit colours in, 8-bit maps out. Passes have
/// a fixed shape: one size of pictures, and always as many of them as the execution says. Their
/// memory is used again by later ones. Thread-safe.
class NetworkPass {
public:
    NetworkPass(std::shared_ptr<Network> network, const Execution& execution, int64_t classes);
    ~NetworkPass();
    void operator()(std::span<const Picture> pictures) const;
    const Execution& execution() const { return execution_; }

private:
    struct Memory;
    void run(std::span<const Picture* const> pictures, Memory& memory) const;
    void run_on_host(std::span<const Picture* const> pictures, Memory& memory) const;
    void run_on_device(std::span<const Picture* const> pictures, Memory& memory) const;
    at::Tensor embeddings(std::span<const Picture* const> pictures) const;

    std::shared_ptr<Network> network_;
    Execution execution_;
    int64_t classes_;
    std::shared_ptr<IdleWorkers<Memory>> memory_;
};

}  // namespace wsi::nn
