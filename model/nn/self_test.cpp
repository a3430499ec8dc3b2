#include "model/nn/self_test.h"

#include <torch/version.h>

#include "config/error.h"
#include "model/nn/torch.h"

namespace wsi::nn {

std::string self_test() {
    const at::Tensor image = at::arange(5 * 8 * 8, at::kFloat).reshape({1, 5, 8, 8}) / 320;
    const at::Tensor weights = at::arange(3 * 5, at::kFloat).reshape({3, 5}) / 15;
    const at::Tensor convolved = at::conv2d(image, weights.reshape({3, 5, 1, 1}));
    const at::Tensor product = at::matmul(weights, image.reshape({5, 64})).reshape({1, 3, 8, 8});
    if (!at::allclose(convolved, product, 1e-4))
        fail(ErrorKind::Device, "LibTorch ", TORCH_VERSION,
             ": a convolution and the same matrix product differ");
    return std::string(TORCH_VERSION) + ": a convolution and a matrix product agree" +
           (at::hasCUDA() ? "; sees a CUDA device" : "; CPU only");
}

}  // namespace wsi::nn
