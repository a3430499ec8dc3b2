#pragma once

#include <array>
#include <memory>

#include "io/types/idle_workers.h"
#include "model/nn/kernels/upsample_taps.h"
#include "model/nn/kernels/winograd.h"
#include "model/nn/torch.h"

namespace wsi::nn {

class ConvBnAct;
class UNet3PlusImpl;

/// Inference of U-Net 3+ and eU-Net3+ on a CPU, float32, by kernels of our own: 3x3 convolutions
/// by Winograd's filtering with bias and activation in the same pass, the decoder's branches from
/// coarser scales without the upsampled maps (UpsampleTaps), every branch written where the
/// concatenation has it. One thread per call; workers share the weights, and each call borrows
/// memory that the next one uses again.
class UNet3PlusPlan {
public:
    /// Of a network whose batch norm is folded and whose decoder has ReLU.
    explicit UNet3PlusPlan(const UNet3PlusImpl& folded);
    ~UNet3PlusPlan();
    /// images [N, 3, H, W] float32 → logits, as UNet3PlusImpl::forward, in `storage`. Nothing is
    /// allocated once a call of that size has been, if the images are channels last.
    at::Tensor forward(const at::Tensor& images, at::Tensor& storage) const;
    /// Its two halves, for what comes between them.
    std::array<at::Tensor, 5> encode(const at::Tensor& images) const;
    at::Tensor decode(const std::array<at::Tensor, 5>& maps) const;
    int64_t bytes() const;  ///< of the packed weights

private:
    static constexpr size_t kScales = 5;
    struct Encoder {
        WinogradConv first, second;
    };
    struct Upsampled {
        PackedMatrix taps;
        std::vector<float> bias;
    };
    struct Stage {
        std::array<WinogradConv, kScales> same;  ///< of scales up to the stage's own
        std::array<Upsampled, kScales> coarser;  ///< of those beyond
        WinogradConv fusion;
    };
    struct Memory;
    using Maps = std::array<MapView, kScales>;
    static Upsampled upsampled(const ConvBnAct& branch);
    void encode_one(const MapView& image, const Maps& out, Memory& memory) const;
    void decode_one(const Maps& encoded, const MapView& out, Memory& memory) const;
    void join(size_t stage, const Maps& maps, const Maps& decoded, const MapView& joined,
              Memory& memory) const;

    int64_t base_ = 0;
    bool blur_pool_ = false;
    std::array<Encoder, kScales> encoder_;
    std::array<Stage, kScales - 1> stages_;
    WinogradConv head_;
    std::shared_ptr<IdleWorkers<Memory>> memory_;
};

}  // namespace wsi::nn
