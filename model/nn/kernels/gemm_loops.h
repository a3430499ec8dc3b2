// The loops of gemm(), for vectors of any width; included by one file per instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "model/nn/kernels/gemm.h"

namespace wsi::nn {
namespace {

/// kRows rows times kBlocks blocks of columns, held in registers.
template <class Vector, int kRows, int kBlocks>
void gemm_tile(const float* a, int64_t stride_a, const PackedMatrix& b, int64_t block, float* c,
               int64_t stride_c) {
    constexpr int kVectors = static_cast<int>(PackedMatrix::kBlock) / Vector::kWidth;
    typename Vector::Type sums[kRows][kBlocks * kVectors];
    for (auto& row : sums)
        for (auto& sum : row) sum = Vector::zero();
    std::array<const float*, kBlocks> from;
    for (int i = 0; i < kBlocks; ++i) from[static_cast<size_t>(i)] = b.block(block + i);
    const int64_t depth = b.depth();
    for (int64_t d = 0; d < depth; ++d) {
        typename Vector::Type right[kBlocks * kVectors];
        for (int i = 0; i < kBlocks; ++i)
            for (int v = 0; v < kVectors; ++v)
                right[i * kVectors + v] = Vector::load(
                    from[static_cast<size_t>(i)] + d * PackedMatrix::kBlock + v * Vector::kWidth);
        for (int r = 0; r < kRows; ++r) {
            const auto left = Vector::broadcast(a[r * stride_a + d]);
            for (int v = 0; v < kBlocks * kVectors; ++v)
                sums[r][v] = Vector::multiply_add(left, right[v], sums[r][v]);
        }
    }
    for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kBlocks * kVectors; ++v)
            Vector::store(c + r * stride_c + block * PackedMatrix::kBlock + v * Vector::kWidth,
                          sums[r][v]);
}

/// All rows of one column of blocks; what is left over after groups of kRows goes in smaller ones.
template <class Vector, int kRows, int kBlocks>
void gemm_rows(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, int64_t block,
               float* c, int64_t stride_c) {
    int64_t row = 0;
    for (; row + kRows <= rows; row += kRows)
        gemm_tile<Vector, kRows, kBlocks>(a + row * stride_a, stride_a, b, block,
                                          c + row * stride_c, stride_c);
    if constexpr (kRows > 1)
        if (row < rows)
            gemm_rows<Vector, (kRows + 1) / 2, kBlocks>(a + row * stride_a, stride_a, rows - row, b,
                                                        block, c + row * stride_c, stride_c);
}

/// In groups of rows that stay in the first cache while every block of columns passes.
template <class Vector, int kRows, int kBlocks>
void gemm_loops(const float* a, int64_t stride_a, int64_t rows, const PackedMatrix& b, float* c,
                int64_t stride_c) {
    constexpr int64_t kGroup = 8 * kRows;
    for (int64_t row = 0; row < rows; row += kGroup) {
        const int64_t count = std::min(kGroup, rows - row);
        const float* left = a + row * stride_a;
        float* out = c + row * stride_c;
        int64_t block = 0;
        for (; block + kBlocks <= b.blocks(); block += kBlocks)
            gemm_rows<Vector, kRows, kBlocks>(left, stride_a, count, b, block, out, stride_c);
        for (; block < b.blocks(); ++block)
            gemm_rows<Vector, kRows, 1>(left, stride_a, count, b, block, out, stride_c);
    }
}

}  // namespace
}  // namespace wsi::nn
