#pragma once

#include <vector>

#include "model/nn/torch.h"

namespace wsi::train {

/// How weight decay acts; on convolution and matrix weights only.
enum class WeightDecay {
    Apart,      ///< AdamW (Loshchilov and Hutter 2019): weights shrink beside the step
    InGradient  ///< Adam (Kingma and Ba 2015) with an L2 term
};

class Adam {
public:
    Adam(std::vector<at::Tensor> parameters, WeightDecay kind, double weight_decay);
    /// One step from the parameters' gradients, which are cleared afterwards.
    void step(double learning_rate);
    /// Scales all gradients so that their common norm is at most `limit` (0 = leave them); returns
    /// the norm before.
    double clip(double limit);

    std::vector<at::Tensor>& first_moments() { return first_; }
    std::vector<at::Tensor>& second_moments() { return second_; }
    int64_t steps() const { return steps_; }
    void set_steps(int64_t steps) { steps_ = steps; }

private:
    std::vector<at::Tensor> gradients() const;
    std::vector<at::Tensor> parameters_, decayed_, first_, second_;
    WeightDecay kind_;
    double weight_decay_;
    int64_t steps_ = 0;
};

}  // namespace wsi::train
