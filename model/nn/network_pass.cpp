#include "model/nn/network_pass.h"

#include <algorithm>
#include <array>

#include "model/nn/tensors.h"

namespace wsi::nn {

/// Storage that only grows (maps_in()).
struct NetworkPass::Memory {
    at::Tensor images;        ///< float32
    at::Tensor logits, says;  ///< what the network said, and its sigmoid
    at::Tensor bytes, maps;   ///< uint8 on the host, pinned for a device
    at::Tensor device_bytes;
};

namespace {

/// Both sides rounded up until the network's poolings divide them.
PixelSize padded(PixelSize size, int64_t multiple) {
    return {ceil_div(size.width, multiple) * multiple, ceil_div(size.height, multiple) * multiple};
}

/// Colours of an image whose last row and column are repeated to the target's size, each value
/// through `value_of`.
template <class T, class ValueOf>
void copy_repeating_ends(ConstRgbView rgb, PixelSize size, T* out, const ValueOf& value_of) {
    for (int64_t y = 0; y < size.height; ++y) {
        const uint8_t* row = rgb.row(std::min(y, rgb.height - 1));
        T* to = out + 3 * y * size.width;
        for (int64_t i = 0; i < 3 * rgb.width; ++i) to[i] = value_of(row[i]);
        for (int64_t i = 3 * rgb.width; i < 3 * size.width; ++i) to[i] = to[i - 3];
    }
}

constexpr std::array<float, 256> kShares = [] {
    std::array<float, 256> shares{};
    for (size_t i = 0; i < shares.size(); ++i) shares[i] = static_cast<float>(i) / 255.0F;
    return shares;
}();

/// The pass's pictures one after the other, and zeros after them.
template <class T, class ValueOf>
void fill(const at::Tensor& images, std::span<const Picture* const> pictures,
          const ValueOf& value_of) {
    const PixelSize size{images.size(3), images.size(2)};
    T* out = images.data_ptr<T>();
    for (const Picture* picture : pictures) {
        copy_repeating_ends(picture->rgb, size, out, value_of);
        out += 3 * size.area();
    }
    std::fill(out, images.data_ptr<T>() + images.numel(), T{});
}

}  // namespace

NetworkPass::NetworkPass(std::shared_ptr<Network> network, const Execution& execution,
                         int64_t classes)
    : network_(std::move(network)),
      execution_(execution),
      classes_(classes),
      memory_(std::make_shared<IdleWorkers<Memory>>()) {}

NetworkPass::~NetworkPass() = default;

void NetworkPass::operator()(std::span<const Picture> pictures) const {
    std::vector<const Picture*> sorted;
    for (const Picture& picture : pictures) sorted.push_back(&picture);
    const auto same = [](const Picture* a, const Picture* b) {
        return a->rgb.size() == b->rgb.size();
    };
    std::stable_sort(sorted.begin(), sorted.end(), [](const Picture* a, const Picture* b) {
        return std::pair(a->rgb.height, a->rgb.width) < std::pair(b->rgb.height, b->rgb.width);
    });
    auto memory = memory_->borrow([] { return std::make_unique<Memory>(); });
    for (size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
        const size_t most = std::min(sorted.size(), begin + static_cast<size_t>(execution_.batch));
        for (end = begin + 1; end < most && same(sorted[begin], sorted[end]);) ++end;
        run({sorted.data() + begin, end - begin}, *memory);
    }
    memory_->give_back(std::move(memory));
}

/// Those of a pass, zeros for what it is filled up with.
at::Tensor NetworkPass::embeddings(std::span<const Picture* const> pictures) const {
    if (!pictures[0]->embedding.defined()) return {};
    std::vector<at::Tensor> all;
    for (const Picture* picture : pictures) all.push_back(picture->embedding);
    while (std::ssize(all) < execution_.batch) all.push_back(at::zeros_like(all[0]));
    return all.size() > 1 ? at::cat(all) : all[0];
}

void NetworkPass::run(std::span<const Picture* const> pictures, Memory& memory) const {
    if (execution_.plain())
        run_on_host(pictures, memory);
    else
        run_on_device(pictures, memory);
}

void NetworkPass::run_on_host(std::span<const Picture* const> pictures, Memory& m) const {
    const PixelSize size = padded(pictures[0]->rgb.size(), network_->side_multiple());
    const at::Tensor images =
        maps_in(m.images, {execution_.batch, 3, size.height, size.width}, at::kFloat);
    fill<float>(images, pictures, [](uint8_t value) { return kShares[value]; });
    const at::Tensor logits = network_->forward_in(m.logits, images, embeddings(pictures));
    at::Tensor says = maps_in(
        m.says, {logits.size(0), logits.size(1), logits.size(2), logits.size(3)}, at::kFloat);
    at::sigmoid_out(says, logits);
    for (size_t i = 0; i < pictures.size(); ++i)
        write_maps(logits, says, static_cast<int64_t>(i), classes_, pictures[i]->maps);
}

void NetworkPass::run_on_device(std::span<const Picture* const> pictures, Memory& m) const {
    const PixelSize size = padded(pictures[0]->rgb.size(), network_->side_multiple());
    const std::array<int64_t, 4> shape{execution_.batch, 3, size.height, size.width};
    const auto host = at::TensorOptions(at::kByte).pinned_memory(!execution_.on_cpu());
    const auto there = at::TensorOptions(at::kByte).device(execution_.device);
    const at::Tensor bytes = maps_in(m.bytes, shape, host);
    fill<uint8_t>(bytes, pictures, [](uint8_t value) { return value; });
    const at::Tensor images = maps_in(m.device_bytes, shape, there);
    images.copy_(bytes, /*non_blocking=*/true);
    const at::Tensor logits =
        network_->forward(images.to(at::kFloat).div_(255), embeddings(pictures)).to(at::kFloat);
    const at::Tensor maps = byte_maps(logits, classes_);
    const at::Tensor kept =
        maps_in(m.maps, {maps.size(0), maps.size(1), maps.size(2), maps.size(3)}, host);
    kept.copy_(maps);  // waits for the device
    for (size_t i = 0; i < pictures.size(); ++i)
        copy_maps(kept[static_cast<int64_t>(i)], pictures[i]->maps);
}

}  // namespace wsi::nn
