#include "stages/contour.h"

#include <algorithm>
#include <cmath>

// Why a ring is always valid: between two pixel centres that are 4-neighbours there is at most one
// vertex of a ring, and inside the square of four pixel centres the ring runs straight from one
// side to another, or through the middle of the square when three labels meet there. Two such
// pieces of one ring share a square only when its diagonal corners carry the label; each then cuts
// off its own corner, on its own side of the square's diagonal, without touching the other.
namespace wsi {

namespace {

constexpr int64_t kFix = 2048;          // one work pixel
constexpr int64_t kMargin = kFix / 20;  // vertices keep this distance from pixel centres
constexpr int kHalfWindow = 8;          // longest window: 17 vertices
constexpr int64_t kTolerance = kFix * 6 / 100;
constexpr size_t kLongestLine = 12;  // neighbours that one line may join
constexpr int kStepX[] = {1, 0, -1, 0}, kStepY[] = {0, 1, 0, -1};      // along a side, clockwise
constexpr int kNormalX[] = {0, 1, 0, -1}, kNormalY[] = {-1, 0, 1, 0};  // out of a side

uint32_t label_at(ImageView<const uint32_t> labels, int64_t x, int64_t y) {
    if (x < 0 || y < 0 || x >= labels.width || y >= labels.height) return 0;
    return labels(x, y);
}

/// Floor of a / b for b > 0: the same whichever end a chain is read from.
int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

}  // namespace

void ContourTracer::walk(ImageView<const uint32_t> labels, uint32_t label, PixelPoint first) {
    cracks_.clear();
    int64_t x = first.x, y = first.y;
    int side = 0;
    bool chain_start = true, junction = false;
    do {
        const uint32_t outside = label_at(labels, x + kNormalX[side], y + kNormalY[side]);
        // Doubled coordinates of the middle between the two pixel centres, in fixed point.
        cracks_.push_back({x, y, side, outside, (2 * x + 1 + kNormalX[side]) * kFix / 2,
                           (2 * y + 1 + kNormalY[side]) * kFix / 2, chain_start, true, junction});
        const int64_t ahead_x = x + kStepX[side], ahead_y = y + kStepY[side];
        const uint32_t ahead = label_at(labels, ahead_x, ahead_y);
        const uint32_t diagonal =
            label_at(labels, ahead_x + kNormalX[side], ahead_y + kNormalY[side]);
        if (ahead != label) {  // turn right around the same pixel
            const bool saddle = diagonal == label;
            // Where the neighbour itself only meets at a corner, its ring breaks the chain, too.
            chain_start = ahead != outside || diagonal != outside;
            junction = ahead != outside && !saddle;
            side = (side + 1) % 4;
        } else if (diagonal != label) {  // straight on
            chain_start = junction = diagonal != outside;
            x = ahead_x;
            y = ahead_y;
        } else {  // turn left
            chain_start = junction = false;
            x = ahead_x + kNormalX[side];
            y = ahead_y + kNormalY[side];
            side = (side + 3) % 4;
        }
    } while (x != first.x || y != first.y || side != 0);
    cracks_.front().chain_start = chain_start;
    cracks_.front().junction_before = junction;
}

void ContourTracer::smooth_chain(size_t first, size_t count, bool closed) {
    const auto n = static_cast<int64_t>(count);
    const auto crack = [&](int64_t i) -> Crack& {
        const size_t at = first + static_cast<size_t>(i);
        return cracks_[at < cracks_.size() ? at : at - cracks_.size()];
    };
    // The chain in one piece, a closed one continued at both ends: a window then needs no modulo.
    const int64_t more = closed ? kHalfWindow : 0;
    along_.resize(static_cast<size_t>(n + 2 * more));
    for (int64_t i = -more; i < n + more; ++i) {
        const Crack& c = crack(closed ? (i % n + n) % n : i);
        along_[static_cast<size_t>(i + more)] = {c.x_fix, c.y_fix};
    }
    smoothed_.resize(count);
    for (int64_t i = 0; i < n; ++i) {
        // A fifth of a closed ring on each side: beyond that a quadratic no longer follows a
        // circle.
        const int64_t room = closed ? n / 5 : std::min(i, n - 1 - i);
        const int64_t m = std::min<int64_t>(kHalfWindow, room);
        const PixelPoint* here = along_.data() + i + more;
        if (m < 2) {
            smoothed_[static_cast<size_t>(i)] = *here;
            continue;
        }
        int64_t sum_x = 0, sum_y = 0;
        for (int64_t k = -m; k <= m; ++k) {
            const int64_t weight = 3 * (3 * m * m + 3 * m - 1 - 5 * k * k);
            sum_x += weight * here[k].x;
            sum_y += weight * here[k].y;
        }
        const int64_t norm = (2 * m - 1) * (2 * m + 1) * (2 * m + 3);
        smoothed_[static_cast<size_t>(i)] = {floor_div(sum_x, norm), floor_div(sum_y, norm)};
    }
    for (int64_t i = 0; i < n; ++i) {
        Crack& c = crack(i);
        const PixelPoint& s = smoothed_[static_cast<size_t>(i)];
        const auto between = [](int64_t value, int64_t pixel_a, int64_t pixel_b) {
            const int64_t low = std::min(pixel_a, pixel_b) * kFix + kFix / 2 + kMargin;
            return std::clamp(value, low, low + kFix - 2 * kMargin);
        };
        if (kNormalX[c.side] != 0)
            c.x_fix = between(s.x, c.x, c.x + kNormalX[c.side]);
        else
            c.y_fix = between(s.y, c.y, c.y + kNormalY[c.side]);
    }
}

/// Whether the line between two vertices crosses the segments of all those between them, close by.
bool ContourTracer::nearly_straight(size_t from, size_t to, int64_t direction) const {
    const size_t n = cracks_.size();
    const Crack &a = cracks_[from], &b = cracks_[to];
    for (size_t i = from;;) {
        if (direction > 0)
            i = i + 1 < n ? i + 1 : 0;
        else
            i = i > 0 ? i - 1 : n - 1;
        const Crack& c = cracks_[i];
        if (&c == &b) return true;
        // `along` runs on the segment between the two pixel centres, `across` is fixed on it.
        const bool x_free = kNormalX[c.side] != 0;
        const auto across = [x_free](const Crack& k) { return x_free ? k.y_fix : k.x_fix; };
        const auto along = [x_free](const Crack& k) { return x_free ? k.x_fix : k.y_fix; };
        const int64_t span = std::abs(across(b) - across(a));
        const int64_t here = across(b) > across(a) ? across(c) - across(a) : across(a) - across(c);
        if (here <= 0 || here >= span) return false;
        // How far the line passes from the vertex, times span.
        const int64_t offset = (along(a) - along(c)) * span + (along(b) - along(a)) * here;
        if (std::abs(offset) > kTolerance * span) return false;
        const int64_t low =
            std::min(x_free ? c.x : c.y, x_free ? c.x + kNormalX[c.side] : c.y + kNormalY[c.side]) *
                kFix +
            kFix / 2;
        const int64_t crossing = along(c) * span + offset;
        if (crossing < (low + kMargin) * span || crossing > (low + kFix - kMargin) * span)
            return false;
    }
}

void ContourTracer::thin_chain(size_t first, size_t count, bool closed) {
    const size_t n = cracks_.size();
    if (count < 3) return;
    const size_t last = (first + count - 1) % n;
    // An open chain is thinned from its upper left end, whichever of the two nuclei is traced.
    const auto place = [&](size_t i) { return std::pair(cracks_[i].y_fix, cracks_[i].x_fix); };
    const bool forward = closed || place(first) <= place(last);
    const int64_t direction = forward ? 1 : -1;
    const auto next = [&](size_t i) {
        if (forward) return i + 1 < n ? i + 1 : 0;
        return i > 0 ? i - 1 : n - 1;
    };
    const size_t lines = closed ? count : count - 1;  // between neighbouring vertices
    size_t from = forward ? first : last;
    for (size_t passed = 0; passed < lines;) {
        size_t to = next(from), length = 1;
        while (passed + length < lines && length < kLongestLine &&
               nearly_straight(from, next(to), direction)) {
            cracks_[to].keep = false;
            to = next(to);
            ++length;
        }
        passed += length;
        from = to;
    }
}

void ContourTracer::smooth() {
    const size_t n = cracks_.size();
    size_t start = 0;
    while (start < n && !cracks_[start].chain_start) ++start;
    if (start == n) {
        smooth_chain(0, n, true);
        return thin_chain(0, n, true);
    }
    for (size_t done = 0; done < n;) {
        size_t count = 1;
        while (count < n && !cracks_[(start + count) % n].chain_start) ++count;
        smooth_chain(start, count, false);
        thin_chain(start, count, false);
        start = (start + count) % n;
        done += count;
    }
}

void ContourTracer::operator()(ImageView<const uint32_t> labels, uint32_t label, PixelPoint first,
                               PixelPoint origin_work, double downsample,
                               std::vector<ContourPoint>& ring) {
    walk(labels, label, first);
    smooth();
    ring.clear();
    const double scale = downsample / (static_cast<double>(kFix) * kContourScale);
    const auto add = [&](int64_t x_fix, int64_t y_fix) {
        const auto place = [&](int64_t origin, int64_t fix) {
            return static_cast<int32_t>(
                std::llround(static_cast<double>(origin * kFix + fix) * scale));
        };
        ring.push_back({place(origin_work.x, x_fix), place(origin_work.y, y_fix)});
    };
    for (const Crack& c : cracks_) {
        if (c.junction_before) {
            // The corner where this side of the pixel begins.
            const int64_t corner_x = c.x + (c.side == 1 || c.side == 2 ? 1 : 0);
            const int64_t corner_y = c.y + (c.side == 2 || c.side == 3 ? 1 : 0);
            add(corner_x * kFix, corner_y * kFix);
        }
        if (c.keep) add(c.x_fix, c.y_fix);
    }
}

}  // namespace wsi
