#include "model/nn/tensors.h"

#include <cstring>

namespace wsi::nn {

at::Tensor to_images(std::span<const ConstRgbView> images) {
    const ConstRgbView& first = images.front();
    const at::Tensor bytes =
        at::empty({static_cast<int64_t>(images.size()), first.height, first.width, 3}, at::kByte);
    auto* out = bytes.data_ptr<uint8_t>();
    for (const ConstRgbView& image : images) {
        WSI_CHECK(image.size() == first.size());
        copy_pixels(image, RgbView{out, image.width, image.height, 3 * image.width});
        out += 3 * image.size().area();
    }
    return bytes.to(at::kFloat).div_(255).permute({0, 3, 1, 2});
}

namespace {
void copy_map(const at::Tensor& map, GrayView out) {
    const at::Tensor bytes = map.mul(255).round_().to(at::kByte).contiguous();
    copy_pixels(ConstGrayView{bytes.const_data_ptr<uint8_t>(), out.width, out.height, out.width},
                out);
}
}  // namespace

void to_maps(const at::Tensor& logits, GrayView probability, GrayView distance) {
    const at::Tensor says = at::sigmoid(logits[0].to(at::kFloat));
    const at::Tensor nucleus = (says[1] + 1 - says[0]).mul_(0.5);
    copy_map(nucleus, probability);
    copy_map(says.size(0) > 2 ? says[2] : nucleus, distance);
}

}  // namespace wsi::nn
