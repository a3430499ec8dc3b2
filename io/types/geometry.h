#pragma once

#include <algorithm>
#include <cstdint>

namespace wsi {

/// Frames are named by the variable: `rect0`/`x0_px` level-0 pixels, `_lvl` pixels of the level
/// being read, `_work` work pixels, `_tile` inside a tile. Origin top-left, x right, y down.
struct PixelPoint {
    int64_t x = 0, y = 0;
    friend bool operator==(const PixelPoint&, const PixelPoint&) = default;
};

struct PixelSize {
    int64_t width = 0, height = 0;
    friend bool operator==(const PixelSize&, const PixelSize&) = default;
    int64_t area() const { return width * height; }
};

/// Half-open: covers x in [x, x + width), y in [y, y + height).
struct PixelRect {
    int64_t x = 0, y = 0, width = 0, height = 0;
    friend bool operator==(const PixelRect&, const PixelRect&) = default;
    int64_t right() const { return x + width; }
    int64_t bottom() const { return y + height; }
    int64_t area() const { return width * height; }
    bool empty() const { return width <= 0 || height <= 0; }
    bool contains(int64_t px, int64_t py) const {
        return px >= x && px < right() && py >= y && py < bottom();
    }
    bool contains(const PixelRect& r) const {
        return r.x >= x && r.right() <= right() && r.y >= y && r.bottom() <= bottom();
    }
    PixelRect grown(int64_t by) const { return {x - by, y - by, width + 2 * by, height + 2 * by}; }
    PixelRect moved(int64_t dx, int64_t dy) const { return {x + dx, y + dy, width, height}; }
    PixelSize size() const { return {width, height}; }
};

inline PixelRect rect_from_corners(int64_t x0, int64_t y0, int64_t x1, int64_t y1) {
    return {x0, y0, x1 - x0, y1 - y0};
}

/// Common part; width and height 0 when there is none.
inline PixelRect intersection(const PixelRect& a, const PixelRect& b) {
    const int64_t x0 = std::max(a.x, b.x), y0 = std::max(a.y, b.y);
    const int64_t x1 = std::min(a.right(), b.right()), y1 = std::min(a.bottom(), b.bottom());
    if (x1 <= x0 || y1 <= y0) return {x0, y0, 0, 0};
    return rect_from_corners(x0, y0, x1, y1);
}

/// Smallest rectangle over both; an empty one does not count.
inline PixelRect bounding(const PixelRect& a, const PixelRect& b) {
    if (a.empty()) return b;
    if (b.empty()) return a;
    return rect_from_corners(std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.right(), b.right()),
                             std::max(a.bottom(), b.bottom()));
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace wsi
