#include "model/nn/tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace wsi::nn {

at::Tensor to_images(std::span<const ConstRgbView> images, at::Device device) {
    const ConstRgbView& first = images.front();
    const at::Tensor bytes =
        at::empty({static_cast<int64_t>(images.size()), first.height, first.width, 3}, at::kByte);
    auto* out = bytes.data_ptr<uint8_t>();
    for (const ConstRgbView& image : images) {
        WSI_CHECK(image.size() == first.size());
        copy_pixels(image, RgbView{out, image.width, image.height, 3 * image.width});
        out += 3 * image.size().area();
    }
    return bytes.to(device).to(at::kFloat).div_(255).permute({0, 3, 1, 2});
}

at::Tensor maps_in(at::Tensor& storage, const std::array<int64_t, 4>& shape,
                   const at::TensorOptions& options) {
    const auto [n, channels, rows, columns] = shape;
    const int64_t count = n * channels * rows * columns;
    if (!storage.defined() || storage.numel() < count) storage = at::empty({count}, options);
    return storage.narrow(0, 0, count).view({n, rows, columns, channels}).permute({0, 3, 1, 2});
}

at::Tensor byte_maps(const at::Tensor& logits, int64_t classes) {
    const int64_t heads = logits.size(1) - classes;
    const at::Tensor says = at::sigmoid(logits.narrow(1, 0, heads));
    const at::Tensor nucleus =
        (says.narrow(1, 1, 1) + 1 - says.narrow(1, 0, 1)).mul_(0.5);  // [N, 1, H, W]
    std::vector<at::Tensor> all{nucleus, heads > 2 ? says.narrow(1, 2, 1) : nucleus};
    if (classes > 0) all.push_back(at::softmax(logits.narrow(1, heads, classes), 1) * nucleus);
    return at::cat(all, 1).mul_(255).round_().to(at::kByte);
}

void copy_maps(const at::Tensor& maps, std::span<const GrayView> out) {
    for (size_t m = 0; m < out.size(); ++m) {
        const uint8_t* from =
            maps.const_data_ptr<uint8_t>() + static_cast<int64_t>(m) * maps.stride(0);
        for (int64_t y = 0; y < out[m].height; ++y)
            for (int64_t x = 0; x < out[m].width; ++x)
                out[m](x, y) = from[y * maps.stride(1) + x * maps.stride(2)];
    }
}

namespace {

uint8_t level(float share) { return static_cast<uint8_t>(std::nearbyint(share * 255)); }

/// A picture's channels in either memory format.
struct Channels {
    Channels(const at::Tensor& maps, int64_t n)
        : data(maps.const_data_ptr<float>() + n * maps.stride(0)),
          channel(maps.stride(1)),
          row(maps.stride(2)),
          column(maps.stride(3)) {}
    float operator()(int64_t c, int64_t x, int64_t y) const {
        return data[c * channel + y * row + x * column];
    }
    const float* data;
    int64_t channel, row, column;
};

float nucleus_at(const Channels& said, int64_t x, int64_t y) {
    return (said(1, x, y) + 1 - said(0, x, y)) * 0.5F;
}

/// Shares of the classes that begin at channel `first`, of the probability of nucleus.
void write_classes(const Channels& logits, const Channels& said, int64_t first,
                   std::span<const GrayView> out) {
    const int64_t classes = std::ssize(out);
    for (int64_t y = 0; y < out[0].height; ++y)
        for (int64_t x = 0; x < out[0].width; ++x) {
            float most = logits(first, x, y), sum = 0;
            for (int64_t c = 1; c < classes; ++c) most = std::max(most, logits(first + c, x, y));
            for (int64_t c = 0; c < classes; ++c) sum += std::exp(logits(first + c, x, y) - most);
            const float share = nucleus_at(said, x, y) / sum;
            for (int64_t c = 0; c < classes; ++c)
                out[static_cast<size_t>(c)](x, y) =
                    level(share * std::exp(logits(first + c, x, y) - most));
        }
}

template <class ValueAt>
void write_map(GrayView out, const ValueAt& value_at) {
    for (int64_t y = 0; y < out.height; ++y)
        for (int64_t x = 0; x < out.width; ++x) out(x, y) = level(value_at(x, y));
}

}  // namespace

void write_maps(const at::Tensor& logits, const at::Tensor& says, int64_t n, int64_t classes,
                std::span<const GrayView> out) {
    const Channels raw(logits, n), said(says, n);
    const int64_t heads = logits.size(1) - classes;
    const auto nucleus = [&](int64_t x, int64_t y) { return nucleus_at(said, x, y); };
    write_map(out[0], nucleus);
    if (heads > 2)
        write_map(out[1], [&](int64_t x, int64_t y) { return said(2, x, y); });
    else
        write_map(out[1], nucleus);
    if (classes > 0 && out.size() > 2) write_classes(raw, said, heads, out.subspan(2));
}

}  // namespace wsi::nn
