// Compiled for x86-64-v4 (model/CMakeLists.txt); called only where the CPU has it.
#if defined(__AVX512F__)
#include <immintrin.h>

#include "model/nn/kernels/gemm_loops.h"

namespace wsi::nn {

namespace {
struct Avx512 {
    using Type = __m512;
    static constexpr int kWidth = 16;
    static Type zero() { return _mm512_setzero_ps(); }
    static Type load(const float* from) { return _mm512_loadu_ps(from); }
    static void store(float* to, Type value) { _mm512_storeu_ps(to, value); }
    static Type broadcast(float value) { return _mm512_set1_ps(value); }
    static Type multiply_add(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
};
}  // namespace

void gemm_avx512(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
                 int64_t stride_c) {
    gemm_loops<Avx512, 12, 2>(a, stride_a, rows, b, c, stride_c);
}

}  // namespace wsi::nn
#endif
