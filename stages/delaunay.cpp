#include "stages/delaunay.h"

#include <algorithm>
#include <numeric>

#include "config/error.h"

namespace wsi {

namespace {

__extension__ using Wide = __int128;

/// Twice the signed area of (a, b, c): exact, below 2^62.
int64_t turn(const Site& a, const Site& b, const Site& c) {
    return (int64_t{b.x} - a.x) * (int64_t{c.y} - a.y) -
           (int64_t{b.y} - a.y) * (int64_t{c.x} - a.x);
}

/// True when d lies inside the circle around a, b, c, which turn positively. Each term is below
/// 2^61 · 2^61.
bool in_circle(const Site& a, const Site& b, const Site& c, const Site& d) {
    const int64_t ax = int64_t{a.x} - d.x, ay = int64_t{a.y} - d.y;
    const int64_t bx = int64_t{b.x} - d.x, by = int64_t{b.y} - d.y;
    const int64_t cx = int64_t{c.x} - d.x, cy = int64_t{c.y} - d.y;
    return Wide{ax * ax + ay * ay} * (bx * cy - by * cx) +
               Wide{bx * bx + by * by} * (cx * ay - cy * ax) +
               Wide{cx * cx + cy * cy} * (ax * by - ay * bx) >
           0;
}

}  // namespace

class Delaunay::Builder {
public:
    Builder(std::span<const Site> sites, Delaunay& out)
        : sites_(sites), origin_(out.origin_), opposite_(out.opposite_), hull_edge_(out.first_) {}
    void run();

private:
    void sort_sites();
    size_t start();
    void add(size_t i);
    uint32_t add_triangle(uint32_t a, uint32_t b, uint32_t c);
    void link(uint32_t e, uint32_t other);
    void legalise(uint32_t e);
    void find_first_edges();
    int64_t turn_of(uint32_t a, uint32_t b, uint32_t c) const {
        return turn(sites_[a], sites_[b], sites_[c]);
    }

    std::span<const Site> sites_;
    std::vector<uint32_t>&origin_, &opposite_;
    std::vector<uint32_t>& hull_edge_;  // [site] the half-edge from it along the hull
    std::vector<uint32_t> order_, hull_next_, hull_previous_;
    std::vector<uint32_t> open_;  // edges to be looked at
};

Delaunay::Delaunay(std::span<const Site> sites) {
    WSI_CHECK(sites.size() < kNone / 6);
    Builder(sites, *this).run();
}

void Delaunay::Builder::run() {
    hull_edge_.assign(sites_.size(), kNone);
    sort_sites();
    if (order_.size() < 3) return;
    origin_.reserve(6 * order_.size());
    opposite_.reserve(6 * order_.size());
    hull_next_.resize(sites_.size());
    hull_previous_.resize(sites_.size());
    for (size_t i = start(); i < order_.size(); ++i) add(i);
    find_first_edges();
}

void Delaunay::Builder::sort_sites() {
    order_.resize(sites_.size());
    std::iota(order_.begin(), order_.end(), uint32_t{0});
    std::sort(order_.begin(), order_.end(), [this](uint32_t a, uint32_t b) {
        const Site &p = sites_[a], &q = sites_[b];
        return p.x != q.x ? p.x < q.x : p.y != q.y ? p.y < q.y : a < b;
    });
    const auto same = [this](uint32_t a, uint32_t b) { return sites_[a] == sites_[b]; };
    order_.erase(std::unique(order_.begin(), order_.end(), same), order_.end());
}

/// A fan from the first point off the line through those before it, the only way to join them;
/// returns how many points it holds, or all when there is none.
size_t Delaunay::Builder::start() {
    size_t m = 2;
    while (m < order_.size() && turn_of(order_[0], order_[1], order_[m]) == 0) ++m;
    if (m == order_.size()) return m;
    const uint32_t apex = order_[m];
    // So that the line runs with the interior on its left.
    std::vector<uint32_t> line(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(m));
    if (turn_of(line[0], line[1], apex) < 0) std::reverse(line.begin(), line.end());
    uint32_t before = kNone;  // from line[k] to the apex, of the triangle before
    for (size_t k = 0; k + 1 < m; ++k) {
        const uint32_t e = add_triangle(line[k], line[k + 1], apex);
        link(e, kNone);
        link(e + 2, before);
        before = e + 1;
    }
    link(before, kNone);
    line.push_back(apex);
    for (size_t k = 0; k <= m; ++k) {
        const uint32_t a = line[k], b = line[(k + 1) % (m + 1)];
        hull_next_[a] = b;
        hull_previous_[b] = a;
    }
    return m + 1;
}

uint32_t Delaunay::Builder::add_triangle(uint32_t a, uint32_t b, uint32_t c) {
    const auto e = static_cast<uint32_t>(origin_.size());
    origin_.insert(origin_.end(), {a, b, c});
    opposite_.insert(opposite_.end(), {kNone, kNone, kNone});
    return e;
}

void Delaunay::Builder::link(uint32_t e, uint32_t other) {
    opposite_[e] = other;
    if (other == kNone)
        hull_edge_[origin_[e]] = e;
    else
        opposite_[other] = e;
}

/// Joins the i-th point in order to what it sees of the hull. The one before it is the largest so
/// far, so the new one lies outside and sees a side at it.
void Delaunay::Builder::add(size_t i) {
    const uint32_t p = order_[i], last = order_[i - 1];
    uint32_t ahead = last, behind = last;            // ends of the chain that p sees
    uint32_t first_edge = kNone, last_edge = kNone;  // p -> behind, ahead -> p
    while (turn_of(ahead, hull_next_[ahead], p) < 0) {
        const uint32_t b = hull_next_[ahead];
        const uint32_t e = add_triangle(b, ahead, p);  // b -> ahead, ahead -> p, p -> b
        link(e, hull_edge_[ahead]);
        if (last_edge == kNone)
            first_edge = e + 1;
        else
            link(e + 1, last_edge);
        last_edge = e + 2;
        open_.push_back(e);
        ahead = b;
    }
    uint32_t outer = first_edge;  // behind -> p
    while (turn_of(hull_previous_[behind], behind, p) < 0) {
        const uint32_t a = hull_previous_[behind];
        const uint32_t e = add_triangle(behind, a, p);  // behind -> a, a -> p, p -> behind
        link(e, hull_edge_[a]);
        if (outer == kNone)
            last_edge = e + 2;
        else
            link(e + 2, outer);
        outer = e + 1;
        open_.push_back(e);
        behind = a;
    }
    link(outer, kNone);
    link(last_edge, kNone);
    hull_next_[behind] = hull_previous_[ahead] = p;
    hull_next_[p] = ahead;
    hull_previous_[p] = behind;
    while (!open_.empty()) {
        const uint32_t e = open_.back();
        open_.pop_back();
        legalise(e);
    }
}

/// Flips e, opposite the new point, while the circle of its triangle holds the point beyond it.
void Delaunay::Builder::legalise(uint32_t e) {
    for (;;) {
        const uint32_t f = opposite_[e];
        if (f == kNone) return;
        const uint32_t en = next(e), fn = next(f), fp = previous(f);
        const uint32_t u = origin_[e], v = origin_[f], w = origin_[previous(e)], z = origin_[fp];
        if (!in_circle(sites_[u], sites_[v], sites_[w], sites_[z])) return;
        // u -> v becomes z -> w: triangles u z w in e's slots, v w z in f's.
        const uint32_t beyond_n = opposite_[en], beyond_fn = opposite_[fn];
        origin_[en] = z;
        origin_[fn] = w;
        link(e, beyond_fn);
        link(f, beyond_n);
        link(en, fn);
        open_.push_back(fp);
    }
}

/// hull_edge_ becomes first_: inner points get any half-edge, those on the hull keep the hull's.
void Delaunay::Builder::find_first_edges() {
    for (const uint32_t site : order_) hull_edge_[site] = kNone;
    for (uint32_t e = 0; e < origin_.size(); ++e) {
        uint32_t& first = hull_edge_[origin_[e]];
        if (first == kNone || opposite_[e] == kNone) first = e;
    }
}

}  // namespace wsi
