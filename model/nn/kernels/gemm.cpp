#include "model/nn/kernels/gemm.h"

namespace wsi::nn {

PackedMatrix::PackedMatrix(std::span<const float> values, int64_t depth, int64_t columns)
    : depth_(depth),
      blocks_((columns + kBlock - 1) / kBlock),
      values_(static_cast<size_t>(blocks_ * depth * kBlock)) {
    for (int64_t d = 0; d < depth; ++d)
        for (int64_t c = 0; c < columns; ++c)
            values_[static_cast<size_t>((c / kBlock * depth + d) * kBlock + c % kBlock)] =
                values[static_cast<size_t>(d * columns + c)];
}

namespace {
auto* fastest() {
#if defined(WSI_AVX512)
    // AMD's first AVX-512 cuts vectors in halves: there the other loop is faster by a tenth.
    if (__builtin_cpu_is("intel") && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        return &gemm_avx512;
#endif
    return &gemm_plain;
}
}  // namespace

void gemm(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
          int64_t stride_c) {
    static auto* const chosen = fastest();
    chosen(a, stride_a, rows, b, c, stride_c);
}

}  // namespace wsi::nn
