#include "model/nn/unet3plus_plan.h"

#include "model/nn/kernels/pooling.h"
#include "model/nn/tensors.h"
#include "model/nn/unet3plus.h"

namespace wsi::nn {

namespace {

/// Memory that only grows. What it holds is undefined until written.
class Buffer {
public:
    MapView map(int64_t rows, int64_t columns, int64_t channels) {
        const auto floats = static_cast<size_t>(rows * columns * channels);
        if (values_.size() < floats) values_ = std::vector<float>(floats);
        return {values_.data(), rows, columns, channels};
    }
    std::vector<float>& values() { return values_; }

private:
    std::vector<float> values_;
};

MapView pooled(const MapView& map, int64_t channels, Buffer& buffer) {
    const MapView out = buffer.map(map.rows / 2, map.columns / 2, channels);
    max_pool_by_two(map, channels, out);
    return out;
}

std::span<const float> values_of(const at::Tensor& tensor) {
    return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

WinogradConv convolution(const ConvBnAct& layer) {
    return winograd_conv(layer.convolution()->weight, layer.convolution()->bias,
                         pointwise(layer.activation()));
}

at::Tensor empty_maps(int64_t n, int64_t channels, int64_t rows, int64_t columns) {
    return at::empty({n, channels, rows, columns},
                     at::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast));
}

MapView view_of(const at::Tensor& maps, int64_t n) {
    const int64_t channels = maps.size(1), rows = maps.size(2), columns = maps.size(3);
    return {maps.data_ptr<float>() + n * channels * rows * columns, rows, columns, channels};
}

}  // namespace

struct UNet3PlusPlan::Memory {
    std::array<Buffer, kScales> encoded, decoded;
    std::array<std::array<Buffer, 3>, kScales> pools;  ///< [scale][i]: by 2 to the power i + 1
    Buffer blurred, joined;
    std::vector<float> winograd, rows;
};

UNet3PlusPlan::UNet3PlusPlan(const UNet3PlusImpl& folded)
    : base_(folded.options().base),
      blur_pool_(folded.options().blur_pool),
      memory_(std::make_shared<IdleWorkers<Memory>>()) {
    for (size_t i = 0; i < kScales; ++i)
        encoder_[i] = {convolution(folded.encoder(i).first()),
                       convolution(folded.encoder(i).second())};
    for (size_t stage = 0; stage < stages_.size(); ++stage) {
        for (size_t scale = 0; scale < kScales; ++scale) {
            const ConvBnAct& branch = folded.branch(stage, scale);
            if (scale <= stage)
                stages_[stage].same[scale] = convolution(branch);
            else
                stages_[stage].coarser[scale] = upsampled(branch);
        }
        stages_[stage].fusion = convolution(folded.fusion(stage));
    }
    const auto [weight, bias] = folded.heads();
    head_ = winograd_conv(weight, bias, Pointwise::None);
}

UNet3PlusPlan::~UNet3PlusPlan() = default;

int64_t UNet3PlusPlan::bytes() const {
    int64_t sum = head_.bytes();
    for (const Encoder& block : encoder_) sum += block.first.bytes() + block.second.bytes();
    for (const Stage& stage : stages_) {
        sum += stage.fusion.bytes();
        for (const WinogradConv& branch : stage.same) sum += branch.bytes();
        for (const Upsampled& branch : stage.coarser) sum += branch.taps.bytes();
    }
    return sum;
}

/// Tap by tap, [in][ky][kx][out].
UNet3PlusPlan::Upsampled UNet3PlusPlan::upsampled(const ConvBnAct& branch) {
    const at::Tensor taps = branch.convolution()->weight.permute({1, 2, 3, 0}).contiguous();
    const at::Tensor bias = branch.convolution()->bias.contiguous();
    const auto values = values_of(bias);
    return {PackedMatrix(values_of(taps), taps.size(0), 9 * taps.size(3)),
            std::vector<float>(values.begin(), values.end())};
}

void UNet3PlusPlan::encode_one(const MapView& image, const Maps& out, Memory& memory) const {
    MapView in = image;
    for (size_t i = 0; i < kScales; ++i) {
        if (i > 0) {
            const int64_t channels = encoder_[i - 1].second.out_channels();
            in = pooled(out[i - 1], channels, memory.pools[i - 1][0]);
            if (blur_pool_) {
                const MapView sharp = in;
                in = memory.blurred.map(sharp.rows, sharp.columns, channels);
                binomial_blur(sharp, channels, in);
            }
        }
        const MapView between =
            memory.joined.map(in.rows, in.columns, encoder_[i].first.out_channels());
        encoder_[i].first(in, between, memory.winograd);
        encoder_[i].second(between, out[i], memory.winograd);
    }
}

void UNet3PlusPlan::join(size_t stage, const Maps& maps, const Maps& decoded, const MapView& joined,
                         Memory& memory) const {
    const Stage& s = stages_[stage];
    for (size_t scale = 0; scale < kScales; ++scale) {
        const MapView out = joined.from_channel(static_cast<int64_t>(scale) * base_);
        if (scale <= stage) {
            s.same[scale](maps[scale], out, memory.winograd);
            continue;
        }
        const MapView& in = decoded[scale];
        const Upsampled& branch = s.coarser[scale];
        // Where the fusion's result will be: it comes last, and is larger.
        const MapView taps =
            memory.decoded[stage].map(in.rows, in.columns, branch.taps.padded_columns());
        gemm(in.data, in.stride, in.pixels(), branch.taps, taps.data, taps.stride);
        UpsampleTaps{in.rows, in.columns, base_, joined.rows / in.rows}(
            taps.data, taps.stride, branch.bias.data(), out.data, out.stride, memory.rows);
    }
}

void UNet3PlusPlan::decode_one(const Maps& encoded, const MapView& out, Memory& memory) const {
    Maps decoded;
    decoded.back() = encoded.back();
    std::array<Maps, kScales> by_stage;  // of scale e, as large as stage s: [s][e]
    for (size_t scale = 0; scale + 1 < kScales; ++scale) {
        MapView map = by_stage[scale][scale] = encoded[scale];
        for (size_t stage = scale + 1; stage < stages_.size(); ++stage) {
            Buffer& buffer = memory.pools[scale][stage - scale - 1];
            map = by_stage[stage][scale] = pooled(map, base_ << scale, buffer);
        }
    }
    for (size_t stage = stages_.size(); stage-- > 0;) {
        const MapView& like = encoded[stage];
        const MapView joined =
            memory.joined.map(like.rows, like.columns, static_cast<int64_t>(kScales) * base_);
        join(stage, by_stage[stage], decoded, joined, memory);
        decoded[stage] = memory.decoded[stage].map(joined.rows, joined.columns, joined.stride);
        stages_[stage].fusion(joined, decoded[stage], memory.winograd);
    }
    head_(decoded[0], out, memory.winograd);
}

at::Tensor UNet3PlusPlan::forward(const at::Tensor& images, at::Tensor& storage) const {
    const at::Tensor in = images.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor logits =
        maps_in(storage, {in.size(0), head_.out_channels(), in.size(2), in.size(3)}, at::kFloat);
    auto memory = memory_->borrow([] { return std::make_unique<Memory>(); });
    for (int64_t n = 0; n < in.size(0); ++n) {
        Maps maps;
        for (size_t i = 0; i < kScales; ++i)
            maps[i] = memory->encoded[i].map(in.size(2) >> i, in.size(3) >> i,
                                             encoder_[i].second.out_channels());
        encode_one(view_of(in, n), maps, *memory);
        decode_one(maps, view_of(logits, n), *memory);
    }
    memory_->give_back(std::move(memory));
    return logits;
}

std::array<at::Tensor, 5> UNet3PlusPlan::encode(const at::Tensor& images) const {
    const at::Tensor in = images.contiguous(at::MemoryFormat::ChannelsLast);
    std::array<at::Tensor, 5> out;
    for (size_t i = 0; i < kScales; ++i)
        out[i] = empty_maps(in.size(0), encoder_[i].second.out_channels(), in.size(2) >> i,
                            in.size(3) >> i);
    auto memory = memory_->borrow([] { return std::make_unique<Memory>(); });
    for (int64_t n = 0; n < in.size(0); ++n) {
        Maps maps;
        for (size_t i = 0; i < kScales; ++i) maps[i] = view_of(out[i], n);
        encode_one(view_of(in, n), maps, *memory);
    }
    memory_->give_back(std::move(memory));
    return out;
}

at::Tensor UNet3PlusPlan::decode(const std::array<at::Tensor, 5>& maps) const {
    std::array<at::Tensor, 5> in;
    for (size_t i = 0; i < kScales; ++i) in[i] = maps[i].contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor logits =
        empty_maps(in[0].size(0), head_.out_channels(), in[0].size(2), in[0].size(3));
    auto memory = memory_->borrow([] { return std::make_unique<Memory>(); });
    for (int64_t n = 0; n < logits.size(0); ++n) {
        Maps views;
        for (size_t i = 0; i < kScales; ++i) views[i] = view_of(in[i], n);
        decode_one(views, view_of(logits, n), *memory);
    }
    memory_->give_back(std::move(memory));
    return logits;
}

}  // namespace wsi::nn
