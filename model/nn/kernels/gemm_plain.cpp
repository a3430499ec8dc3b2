#include "model/nn/kernels/gemm_loops.h"
#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#else
#include <cmath>
#endif

namespace wsi::nn {

namespace {
#if defined(__AVX2__) && defined(__FMA__)
struct Plain {
    using Type = __m256;
    static constexpr int kWidth = 8;
    static Type zero() { return _mm256_setzero_ps(); }
    static Type load(const float* from) { return _mm256_loadu_ps(from); }
    static void store(float* to, Type value) { _mm256_storeu_ps(to, value); }
    static Type broadcast(float value) { return _mm256_set1_ps(value); }
    static Type multiply_add(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
};
#else
struct Plain {
    using Type = float;
    static constexpr int kWidth = 1;
    static Type zero() { return 0; }
    static Type load(const float* from) { return *from; }
    static void store(float* to, Type value) { *to = value; }
    static Type broadcast(float value) { return value; }
    static Type multiply_add(Type a, Type b, Type c) { return std::fma(a, b, c); }
};
#endif
}  // namespace

void gemm_plain(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
                int64_t stride_c) {
    gemm_loops<Plain, 6, 1>(a, stride_a, rows, b, c, stride_c);
}

}  // namespace wsi::nn
