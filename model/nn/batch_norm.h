#pragma once

#include "model/nn/torch.h"

namespace wsi::nn {

/// Sums over the processes that train one model together.
class SumOverProcesses {
public:
    virtual ~SumOverProcesses() = default;
    virtual int processes() const = 0;
    /// The sum of every process's tensor of that shape; the same bits in all of them. A constant
    /// for autograd.
    virtual at::Tensor sum(const at::Tensor& own) = 0;
};

/// torch::nn::BatchNorm2d, whose statistics while training can be those of the batches of all
/// processes. Keys are the same.
class BatchNormImpl : public torch::nn::BatchNorm2dImpl {
public:
    using BatchNorm2dImpl::BatchNorm2dImpl;
    at::Tensor forward(const at::Tensor& x);
    /// `sum` must outlive the training; nullptr: this process alone.
    void synchronise(SumOverProcesses* sum) { sum_ = sum; }

private:
    SumOverProcesses* sum_ = nullptr;
};
TORCH_MODULE(BatchNorm);

}  // namespace wsi::nn
