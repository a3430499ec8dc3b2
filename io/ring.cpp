#include "io/ring.h"

#include <algorithm>
#include <cmath>

namespace wsi {

namespace {

using Ring = std::vector<ContourPoint>;

/// Twice the signed area of a, b, c.
int64_t cross(const ContourPoint& a, const ContourPoint& b, const ContourPoint& c) {
    return (int64_t{b.x} - a.x) * (int64_t{c.y} - a.y) -
           (int64_t{b.y} - a.y) * (int64_t{c.x} - a.x);
}

int sign(int64_t v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

bool in_box(const ContourPoint& p, const ContourPoint& a, const ContourPoint& b) {
    return std::min(a.x, b.x) <= p.x && p.x <= std::max(a.x, b.x) && std::min(a.y, b.y) <= p.y &&
           p.y <= std::max(a.y, b.y);
}

/// True when the closed segments ab and cd have a point in common.
bool segments_meet(const ContourPoint& a, const ContourPoint& b, const ContourPoint& c,
                   const ContourPoint& d) {
    if (std::max(a.x, b.x) < std::min(c.x, d.x) || std::max(c.x, d.x) < std::min(a.x, b.x) ||
        std::max(a.y, b.y) < std::min(c.y, d.y) || std::max(c.y, d.y) < std::min(a.y, b.y))
        return false;
    const int c_side = sign(cross(a, b, c)), d_side = sign(cross(a, b, d)),
              a_side = sign(cross(c, d, a)), b_side = sign(cross(c, d, b));
    if (c_side * d_side < 0 && a_side * b_side < 0) return true;
    return (c_side == 0 && in_box(c, a, b)) || (d_side == 0 && in_box(d, a, b)) ||
           (a_side == 0 && in_box(a, c, d)) || (b_side == 0 && in_box(b, c, d));
}

/// True when the ring turns back on itself at b.
bool is_spike(const ContourPoint& a, const ContourPoint& b, const ContourPoint& c) {
    if (a == b || b == c) return true;
    const int64_t dot =
        (int64_t{b.x} - a.x) * (int64_t{c.x} - b.x) + (int64_t{b.y} - a.y) * (int64_t{c.y} - b.y);
    return cross(a, b, c) == 0 && dot < 0;
}

double distance(const ContourPoint& p, const ContourPoint& a, const ContourPoint& b) {
    const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const double along =
        length2 == 0 ? 0 : std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0.0, 1.0);
    return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

/// Marks which of (first, last) stay; indices wrap around.
void keep_between(std::span<const ContourPoint> ring, size_t first, size_t last, double tolerance,
                  std::vector<bool>& keep) {
    const size_t n = ring.size();
    size_t farthest = first;
    double most = tolerance;
    for (size_t k = first + 1; k < last; ++k)
        if (const double d = distance(ring[k % n], ring[first % n], ring[last % n]); d > most) {
            most = d;
            farthest = k;
        }
    if (farthest == first) return;
    keep[farthest % n] = true;
    keep_between(ring, first, farthest, tolerance, keep);
    keep_between(ring, farthest, last, tolerance, keep);
}

Ring with_fewer_vertices(std::span<const ContourPoint> ring, double tolerance) {
    const size_t n = ring.size();
    size_t opposite = 0;
    double most = -1;
    for (size_t k = 1; k < n; ++k)
        if (const double d = std::hypot(ring[k].x - ring[0].x, ring[k].y - ring[0].y); d > most) {
            most = d;
            opposite = k;
        }
    std::vector<bool> keep(n, false);
    keep[0] = keep[opposite] = true;
    keep_between(ring, 0, opposite, tolerance, keep);
    keep_between(ring, opposite, n, tolerance, keep);
    Ring out;
    for (size_t k = 0; k < n; ++k)
        if (keep[k]) out.push_back(ring[k]);
    return out;
}

/// Andrew's monotone chain; fewer than three points when all are on one line.
Ring convex_hull(Ring points) {
    const auto less = [](const ContourPoint& a, const ContourPoint& b) {
        return a.x != b.x ? a.x < b.x : a.y < b.y;
    };
    std::sort(points.begin(), points.end(), less);
    points.erase(std::unique(points.begin(), points.end()), points.end());
    Ring hull;
    for (int half = 0; half < 2; ++half) {
        const size_t start = hull.size();
        for (const ContourPoint& p : points) {
            while (hull.size() >= start + 2 && cross(hull[hull.size() - 2], hull.back(), p) <= 0)
                hull.pop_back();
            hull.push_back(p);
        }
        hull.pop_back();  // the other half begins with it
        std::reverse(points.begin(), points.end());
    }
    return hull;
}

constexpr size_t kMostMended = 2000;

int64_t twice_area(const Ring& ring) {
    int64_t sum = 0;
    for (size_t k = 1; k + 1 < ring.size(); ++k) sum += cross(ring[0], ring[k], ring[k + 1]);
    return std::abs(sum);
}

/// The larger of the two rings that vertices [begin, end) and the others make.
Ring larger_part(const Ring& ring, size_t begin, size_t end) {
    const auto at = [&](size_t k) { return ring.begin() + static_cast<std::ptrdiff_t>(k); };
    Ring inner(at(begin), at(end)), outer(ring.begin(), at(begin));
    outer.insert(outer.end(), at(end), ring.end());
    return twice_area(inner) > twice_area(outer) ? inner : outer;
}

/// Makes a ring simpler where it meets itself: the tip of a spike goes, or the smaller of two loops
/// that share a vertex or whose edges meet. False when there is no such place.
bool untangle_once(Ring& ring) {
    const size_t n = ring.size();
    for (size_t i = 0; i < n; ++i)
        if (is_spike(ring[i], ring[(i + 1) % n], ring[(i + 2) % n])) {
            ring.erase(ring.begin() + static_cast<std::ptrdiff_t>((i + 1) % n));
            return true;
        }
    for (size_t i = 0; i < n; ++i)
        for (size_t j = i + 1; j < n; ++j)
            if (ring[i] == ring[j]) {
                ring = larger_part(ring, i, j);
                return true;
            }
    for (size_t i = 0; i < n; ++i)
        for (size_t j = i + 2; j < n; ++j)
            if ((i > 0 || j < n - 1) &&
                segments_meet(ring[i], ring[i + 1], ring[j], ring[(j + 1) % n])) {
                ring = larger_part(ring, i + 1, j + 1);
                return true;
            }
    return false;
}

Ring untangled(Ring ring) {
    while (ring.size() >= 3 && untangle_once(ring)) {
    }
    return ring;
}

Ring box_of(const Ring& points) {
    ContourPoint low = points.front(), high = low;
    for (const ContourPoint& p : points) {
        low = {std::min(low.x, p.x), std::min(low.y, p.y)};
        high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
    high = {std::max(high.x, low.x + 1), std::max(high.y, low.y + 1)};
    return {low, {high.x, low.y}, high, {low.x, high.y}};
}

}  // namespace

bool is_simple(std::span<const ContourPoint> ring) {
    const size_t n = ring.size();
    if (n < 3) return false;
    const auto at = [&](size_t k) -> const ContourPoint& { return ring[k < n ? k : k - n]; };
    for (size_t i = 0; i < n; ++i)
        if (is_spike(ring[i], at(i + 1), at(i + 2))) return false;
    for (size_t i = 0; i < n; ++i)
        for (size_t j = i + 2; j < n; ++j)
            if ((i > 0 || j < n - 1) && segments_meet(ring[i], ring[i + 1], ring[j], at(j + 1)))
                return false;
    return true;
}

std::vector<ContourPoint> simplified(std::span<const ContourPoint> ring, double tolerance_px) {
    for (double tolerance = tolerance_px / kContourScale; tolerance >= 1; tolerance /= 2) {
        Ring fewer = with_fewer_vertices(ring, tolerance);
        if (is_simple(fewer)) return fewer;
    }
    return {ring.begin(), ring.end()};
}

std::vector<ContourPoint> on_whole_pixels(std::span<const ContourPoint> ring) {
    const auto whole = [](int32_t hundredths) {
        return static_cast<int32_t>(std::floor(hundredths * kContourScale));  // round(v - 0.5)
    };
    Ring rounded;
    for (const ContourPoint& p : ring) {
        const ContourPoint q{whole(p.x), whole(p.y)};
        if (rounded.empty() || q != rounded.back()) rounded.push_back(q);
    }
    if (rounded.size() > 1 && rounded.back() == rounded.front()) rounded.pop_back();
    if (is_simple(rounded)) return rounded;
    // Mending looks at all pairs again and again: not of what no nucleus is.
    Ring mended = rounded.size() <= kMostMended ? untangled(rounded) : Ring{};
    if (mended.size() >= 3 && is_simple(mended)) return mended;
    Ring hull = convex_hull(rounded);
    return hull.size() >= 3 ? hull : box_of(rounded);
}

}  // namespace wsi
