#include <algorithm>
#include <cmath>

#include "stages/feature_groups.h"

namespace wsi::features {

namespace {

int64_t cross(const PixelPoint& o, const PixelPoint& a, const PixelPoint& b) {
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

double distance(const PixelPoint& a, const PixelPoint& b) {
    return norm(static_cast<double>(b.x - a.x), static_cast<double>(b.y - a.y));
}

/// Middles of pixel sides in doubled coordinates (pixel centres are even, middles of sides have one
/// odd coordinate), only the outermost two of each doubled row, sorted by (y, x).
void outermost_side_middles(std::span<const PixelRun> runs, std::vector<PixelPoint>& points) {
    points.clear();
    int64_t first_above = INT64_MAX, last_above = INT64_MIN, y = 2 * int64_t{runs.front().y};
    const auto add = [&points](int64_t first, int64_t last, int64_t row) {
        points.push_back({first, row});
        if (last != first) points.push_back({last, row});
    };
    for (size_t i = 0; i < runs.size(); y += 2) {
        int64_t first = INT64_MAX, last = INT64_MIN;
        for (; i < runs.size() && 2 * int64_t{runs[i].y} == y; ++i) {
            first = std::min(first, 2 * int64_t{runs[i].x0});
            last = std::max(last, 2 * (int64_t{runs[i].x1} - 1));
        }
        if (first <= last || first_above <= last_above)
            add(std::min(first, first_above), std::max(last, last_above), y - 1);
        if (first <= last) add(first - 1, last + 1, y);
        first_above = first;
        last_above = last;
    }
    add(first_above, last_above, y - 1);
}

Circle through(const PixelPoint& a, const PixelPoint& b) {
    return {static_cast<double>(a.x + b.x) / 2, static_cast<double>(a.y + b.y) / 2,
            distance(a, b) / 2};
}

/// Circumcircle; of points in line, that of the two that are farthest apart.
Circle through(const PixelPoint& a, const PixelPoint& b, const PixelPoint& c) {
    const auto bx = static_cast<double>(b.x - a.x), by = static_cast<double>(b.y - a.y);
    const auto cx = static_cast<double>(c.x - a.x), cy = static_cast<double>(c.y - a.y);
    const double d = 2 * (bx * cy - by * cx), bb = bx * bx + by * by, cc = cx * cx + cy * cy;
    if (d == 0)
        return std::max({through(a, b), through(a, c), through(b, c)},
                        [](const Circle& p, const Circle& q) { return p.r < q.r; });
    const double x = (cy * bb - by * cc) / d, y = (bx * cc - cx * bb) / d;
    return {static_cast<double>(a.x) + x, static_cast<double>(a.y) + y, norm(x, y)};
}

}  // namespace

void convex_hull(std::vector<PixelPoint>& sorted, std::vector<PixelPoint>& chain) {
    if (sorted.size() < 3) return;
    chain.resize(2 * sorted.size());
    size_t k = 0;
    for (const PixelPoint& p : sorted) {
        while (k >= 2 && cross(chain[k - 2], chain[k - 1], p) <= 0) --k;
        chain[k++] = p;
    }
    const size_t lower = k + 1;
    for (size_t i = sorted.size() - 1; i-- > 0;) {
        while (k >= lower && cross(chain[k - 2], chain[k - 1], sorted[i]) <= 0) --k;
        chain[k++] = sorted[i];
    }
    sorted.assign(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(k - 1));
}

int64_t convex_area_px(std::span<const PixelRun> runs, Scratch& s) {
    outermost_side_middles(runs, s.hull);
    convex_hull(s.hull, s.chain);
    const int64_t top = runs.front().y;
    const auto rows = static_cast<size_t>(runs.back().y - top + 1);
    s.first.assign(rows, INT64_MAX);
    s.last.assign(rows, INT64_MIN);
    for (size_t i = 0; i < s.hull.size(); ++i) {
        PixelPoint a = s.hull[i], b = s.hull[i + 1 < s.hull.size() ? i + 1 : 0];
        if (a.y == b.y) continue;  // its ends are ends of other sides, too
        if (a.y > b.y) std::swap(a, b);
        // The pixel centres of a row that lie on or inside of where the side crosses it.
        const int64_t height = b.y - a.y, den = 2 * height;
        for (int64_t y = a.y + (a.y & 1); y <= b.y; y += 2) {
            const int64_t num = a.x * height + (y - a.y) * (b.x - a.x);
            const auto row = static_cast<size_t>(y / 2 - top);
            s.first[row] = std::min(s.first[row], -floor_div(-num, den));
            s.last[row] = std::max(s.last[row], floor_div(num, den));
        }
    }
    int64_t area = 0;
    for (size_t row = 0; row < rows; ++row) area += s.last[row] - s.first[row] + 1;
    return area;
}

Calipers calipers_of(std::span<const PixelPoint> hull) {
    const size_t n = hull.size();
    if (n < 2) return {};
    if (n == 2) return {0, distance(hull[0], hull[1])};
    Calipers c{INFINITY, 0};
    const auto next = [n](size_t i) { return i + 1 < n ? i + 1 : 0; };
    size_t far = 1;
    for (size_t i = 0; i < n; ++i) {
        const PixelPoint &a = hull[i], &b = hull[next(i)];
        while (std::abs(cross(a, b, hull[next(far)])) > std::abs(cross(a, b, hull[far])))
            far = next(far);
        const double width = static_cast<double>(std::abs(cross(a, b, hull[far]))) / distance(a, b);
        c.least = std::min(c.least, width);
        c.most = std::max({c.most, distance(a, hull[far]), distance(b, hull[far])});
    }
    return c;
}

// Welzl's algorithm in its iterative form: each point outside of the circle so far lies on the
// border of the next.
Circle bounding_circle(std::span<const PixelPoint> points) {
    Circle circle;
    for (size_t i = 0; i < points.size(); ++i) {
        if (circle.holds(points[i])) continue;
        circle = {static_cast<double>(points[i].x), static_cast<double>(points[i].y), 0};
        for (size_t j = 0; j < i; ++j) {
            if (circle.holds(points[j])) continue;
            circle = through(points[i], points[j]);
            for (size_t k = 0; k < j; ++k)
                if (!circle.holds(points[k])) circle = through(points[i], points[j], points[k]);
        }
    }
    return circle;
}

}  // namespace wsi::features
