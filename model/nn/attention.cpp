#include "model/nn/attention.h"

#include <algorithm>
#include <cmath>

namespace wsi::nn {

namespace {

/// Logits of one piece: small enough to stay in a core's cache for the passes over them, large
/// enough for its matrix products to run at full speed.
constexpr int64_t kHeadsElements = int64_t{1} << 18, kRowsElements = int64_t{1} << 20;
/// On a device, where launches cost and caches do not count: half a GB of float32.
constexpr int64_t kDeviceElements = int64_t{1} << 27;

/// [size, size, hd]: row q, k of the table is its entry q - k + size - 1.
at::Tensor position_rows(const at::Tensor& table, int64_t size) {
    const at::Tensor at = at::arange(size, table.options().dtype(at::kLong));
    return table.index({at.unsqueeze(1) - at.unsqueeze(0) + size - 1});
}

/// Products of matrices in their own type, given in out's: float32 for logits of any type.
void products_into(at::Tensor& out, const at::Tensor& a, const at::Tensor& b) {
    if (a.scalar_type() == out.scalar_type())
        at::bmm_out(out, a, b);
    else
        out.copy_(at::bmm(a, b));
}

/// q [B, H, W, hd] against rows [H, H, hd] over the first axis of the grid → [B, H, W, H].
at::Tensor vertical(const at::Tensor& q, const at::Tensor& rows) {
    const int64_t b = q.size(0), h = q.size(1), w = q.size(2);
    const at::Tensor by_row = q.permute({1, 0, 2, 3}).reshape({h, b * w, q.size(3)});
    return at::bmm(by_row, rows.transpose(1, 2)).view({h, b, w, h}).permute({1, 0, 2, 3});
}

}  // namespace

at::Tensor attend_with_positions(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const at::Tensor& rel_h, const at::Tensor& rel_w, int64_t height,
                                 int64_t width) {
    const int64_t batch = q.size(0), tokens = height * width, dim = q.size(2);
    const at::Tensor grid = q.view({batch, height, width, dim});
    const at::Tensor by_row = vertical(grid, position_rows(rel_h, height));
    const at::Tensor by_column =
        vertical(grid.transpose(1, 2), position_rows(rel_w, width)).transpose(1, 2);
    const at::Tensor scaled = q * (1 / std::sqrt(static_cast<double>(dim)));
    const at::Tensor keys = k.transpose(1, 2);
    at::Tensor out = at::empty_like(q);
    // Whole heads together while they fit, else rows of the grid of one head.
    const int64_t for_heads = q.is_cpu() ? kHeadsElements : kDeviceElements;
    const int64_t for_rows = q.is_cpu() ? kRowsElements : kDeviceElements;
    const int64_t heads = std::clamp<int64_t>(for_heads / (tokens * tokens), 1, batch);
    const int64_t rows = std::clamp<int64_t>(for_rows / (width * tokens), 1, height);
    const auto options =
        at::isReducedFloatingType(q.scalar_type()) ? q.options().dtype(at::kFloat) : q.options();
    const at::Tensor memory = at::empty({2, heads * rows * width * tokens}, options);
    for (int64_t b = 0; b < batch; b += heads) {
        const int64_t nb = std::min(heads, batch - b);
        for (int64_t y = 0; y < height; y += rows) {
            const int64_t ny = std::min(rows, height - y), n = ny * width;
            const auto piece = [&](int64_t which) {
                return memory[which].narrow(0, 0, nb * n * tokens).view({nb, n, tokens});
            };
            at::Tensor logits = piece(0), weights = piece(1);
            products_into(logits, scaled.narrow(0, b, nb).narrow(1, y * width, n),
                          keys.narrow(0, b, nb));
            at::Tensor view = logits.view({nb, ny, width, height, width});
            view.add_(by_row.narrow(0, b, nb).narrow(1, y, ny).unsqueeze(4));
            view.add_(by_column.narrow(0, b, nb).narrow(1, y, ny).unsqueeze(3));
            at::softmax_out(weights, logits, 2);
            at::Tensor target = out.narrow(0, b, nb).narrow(1, y * width, n);
            products_into(target, weights.to(v.scalar_type()), v.narrow(0, b, nb));
        }
    }
    return out;
}

at::Tensor to_windows(const at::Tensor& tokens, int64_t side) {
    const int64_t n = tokens.size(0), d = tokens.size(3);
    const int64_t down = (side - tokens.size(1) % side) % side;
    const int64_t right = (side - tokens.size(2) % side) % side;
    const at::Tensor padded = at::constant_pad_nd(tokens, {0, 0, 0, right, 0, down});
    const int64_t rows = padded.size(1) / side, columns = padded.size(2) / side;
    return padded.view({n, rows, side, columns, side, d})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({n * rows * columns, side, side, d});
}

at::Tensor from_windows(const at::Tensor& windows, int64_t side, int64_t height, int64_t width) {
    const int64_t rows = (height + side - 1) / side, columns = (width + side - 1) / side;
    const int64_t n = windows.size(0) / (rows * columns), d = windows.size(3);
    return windows.view({n, rows, columns, side, side, d})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({n, rows * side, columns * side, d})
        .narrow(1, 0, height)
        .narrow(2, 0, width);
}

}  // namespace wsi::nn
