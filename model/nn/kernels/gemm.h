#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wsi::nn {

/// Matrix [depth, columns] for gemm(), in blocks of 16 columns, [block, depth, 16]; missing columns
/// are zero.
class PackedMatrix {
public:
    static constexpr int64_t kBlock = 16;
    PackedMatrix() = default;
    /// values[d * columns + c]
    PackedMatrix(std::span<const float> values, int64_t depth, int64_t columns);
    const float* block(int64_t index) const { return values_.data() + index * depth_ * kBlock; }
    int64_t depth() const { return depth_; }
    int64_t blocks() const { return blocks_; }
    int64_t padded_columns() const { return blocks_ * kBlock; }
    int64_t bytes() const { return static_cast<int64_t>(values_.size() * sizeof(float)); }

private:
    int64_t depth_ = 0, blocks_ = 0;
    std::vector<float> values_;
};

/// c[r, 0 .. padded_columns) = a[r, 0 .. depth) · b, float32, rows `stride` floats apart. Every
/// element is one chain of fused multiply-adds in the order of depth, whatever its place, so that
/// it depends on nothing but its row and column. One thread; AVX-512 where the CPU has it.
void gemm(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
          int64_t stride_c);

/// The same for one instruction set; for gemm() alone.
void gemm_avx512(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
                 int64_t stride_c);
void gemm_plain(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
                int64_t stride_c);

}  // namespace wsi::nn
