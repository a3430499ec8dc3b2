#include <gtest/gtest.h>

#include "model/nn/blocks.h"
#include "model/nn/kernels/pooling.h"
#include "model/nn/kernels/upsample_taps.h"
#include "model/nn/kernels/winograd.h"

namespace wsi::nn {

namespace {

std::span<const float> values_of(const at::Tensor& tensor) {
    return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

/// [1, C, H, W] → a view of the same values with channels last; `kept` holds them.
MapView view_of(const at::Tensor& map, at::Tensor& kept) {
    kept = map.permute({0, 2, 3, 1}).contiguous();
    return {kept.data_ptr<float>(), map.size(2), map.size(3), map.size(1)};
}

at::Tensor map_of(const at::Tensor& channels_last) { return channels_last.permute({0, 3, 1, 2}); }

double relative_difference(const at::Tensor& got, const at::Tensor& expected) {
    return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

}  // namespace

TEST(GemmTest, every_instruction_set_equals_the_product_for_any_number_of_rows) {
    for (const int64_t rows : {1, 5, 12, 13, 100, 211}) {
        const at::Tensor a = at::randn({rows, 37}), b = at::randn({37, 50});
        const PackedMatrix packed(values_of(b), 37, 50);
        const at::Tensor c = at::empty({rows, packed.padded_columns()});
        const auto check = [&](const char* name) {
            EXPECT_LE(relative_difference(c.narrow(1, 0, 50), at::mm(a, b)), 1e-6) << name << rows;
        };
        gemm_plain(a.const_data_ptr<float>(), 37, rows, packed, c.data_ptr<float>(), c.size(1));
        check("plain");
        const at::Tensor plain = c.clone();
        gemm(a.const_data_ptr<float>(), 37, rows, packed, c.data_ptr<float>(), c.size(1));
        check("chosen");
        EXPECT_TRUE(c.equal(plain));  // the same chain of operations everywhere
#if defined(__x86_64__)
        if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl")) continue;
        gemm_avx512(a.const_data_ptr<float>(), 37, rows, packed, c.data_ptr<float>(), c.size(1));
        EXPECT_TRUE(c.equal(plain));
#endif
    }
}

TEST(WinogradConvTest, equals_the_direct_convolution_at_any_size) {
    constexpr std::pair<Pointwise, at::Tensor (*)(const at::Tensor&)> kAfter[] = {
        {Pointwise::None, [](const at::Tensor& x) { return x; }},
        {Pointwise::Relu, [](const at::Tensor& x) { return activate(x, Activation::Relu); }},
        {Pointwise::LeakyRelu,
         [](const at::Tensor& x) { return activate(x, Activation::LeakyRelu); }},
        {Pointwise::Swish, [](const at::Tensor& x) { return activate(x, Activation::Swish); }},
        {Pointwise::Glu, [](const at::Tensor& x) { return activate(x, Activation::Glu); }}};
    at::manual_seed(7);
    std::vector<float> scratch;
    for (const auto& [after, function] : kAfter)
        for (const auto& [in, made, rows, columns] :
             {std::array<int64_t, 4>{3, 6, 1, 1}, std::array<int64_t, 4>{19, 26, 7, 10},
              std::array<int64_t, 4>{32, 64, 24, 33}}) {
            const at::Tensor weight = at::randn({made, in, 3, 3}), bias = at::randn({made});
            const at::Tensor x = at::randn({1, in, rows, columns});
            const at::Tensor expected = function(at::conv2d(x, weight, bias, 1, 1));
            const WinogradConv conv(values_of(weight), values_of(bias), in, after);
            at::Tensor kept;
            // Into the middle of wider pixels, whose other channels stay.
            const at::Tensor out = at::full({1, rows, columns, conv.out_channels() + 7}, 5.0);
            const MapView view{out.data_ptr<float>(), rows, columns, out.size(3)};
            conv(view_of(x, kept), view.from_channel(3), scratch);
            EXPECT_LE(relative_difference(map_of(out.narrow(3, 3, conv.out_channels())), expected),
                      1e-4);
            EXPECT_TRUE(out.narrow(3, 0, 3).eq(5).all().item<bool>());
            EXPECT_TRUE(out.narrow(3, conv.out_channels() + 3, 4).eq(5).all().item<bool>());
        }
}

TEST(UpsampleTapsTest, equals_a_convolution_of_the_upsampled_map) {
    std::vector<float> scratch;
    for (const auto& [factor, rows, columns] :
         {std::array<int64_t, 3>{2, 5, 7}, std::array<int64_t, 3>{4, 1, 1},
          std::array<int64_t, 3>{8, 2, 3}, std::array<int64_t, 3>{16, 3, 1}})
        for (const int64_t made : {5, 16}) {
            const at::Tensor weight = at::randn({made, 9, 3, 3}), bias = at::randn({made});
            const at::Tensor x = at::randn({1, 9, rows, columns});
            const at::Tensor expected =
                at::relu(at::conv2d(upsample(x, factor), weight, bias, 1, 1));
            const at::Tensor taps =
                at::einsum("nihw,oiyx->nhwyxo", {x, weight}).reshape({rows, columns, 9 * made});
            const at::Tensor out = at::zeros({1, rows * factor, columns * factor, made});
            UpsampleTaps{rows, columns, made, factor}(taps.contiguous().const_data_ptr<float>(),
                                                      9 * made, bias.const_data_ptr<float>(),
                                                      out.data_ptr<float>(), made, scratch);
            EXPECT_LE(relative_difference(map_of(out), expected), 1e-6) << factor;
        }
}

TEST(PoolingTest, equals_max_blur_pool) {
    const at::Tensor x = at::randn({1, 11, 6, 10});
    at::Tensor kept;
    const at::Tensor pooled = at::zeros({1, 3, 5, 11}), blurred = at::zeros({1, 3, 5, 11});
    const MapView small{pooled.data_ptr<float>(), 3, 5, 11};
    max_pool_by_two(view_of(x, kept), 11, small);
    EXPECT_TRUE(map_of(pooled).equal(at::max_pool2d(x, 2)));
    binomial_blur(small, 11, {blurred.data_ptr<float>(), 3, 5, 11});
    EXPECT_LE(relative_difference(map_of(blurred), max_blur_pool(x)), 1e-6);
}

}  // namespace wsi::nn
