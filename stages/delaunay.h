#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wsi {

/// A point of a slide on a grid fine enough for centroids and coarse enough that every predicate is
/// exact in 128-bit integers: 1 / kSitesPerPx of a level-0 pixel.
struct Site {
    int32_t x = 0, y = 0;
    friend bool operator==(const Site&, const Site&) = default;
};
inline constexpr int kSitesPerPx = 1024;
/// Sites must lie within [0, kMostSite]: slides up to a million pixels wide.
inline constexpr int32_t kMostSite = 1 << 30;

/// Delaunay triangulation. Points are added in the order of (x, y), each joined to the sides of the
/// convex hull it sees; edges are flipped until every circumcircle is empty (Lawson 1977). Exact
/// in integers, so it is the same everywhere; where four points lie on one circle, the order above
/// decides. About 75 bytes per site while it is built, 60 afterwards.
///
/// Half-edge e belongs to triangle e / 3, starts at origin(e) and ends at origin(next(e));
/// triangles turn the same way.
class Delaunay {
public:
    static constexpr uint32_t kNone = UINT32_MAX;

    /// Of several equal sites only the first is in it; fewer than three sites, or all on one line,
    /// make no triangle. Sites must outlive it.
    explicit Delaunay(std::span<const Site> sites);

    uint32_t half_edges() const { return static_cast<uint32_t>(origin_.size()); }
    uint32_t origin(uint32_t e) const { return origin_[e]; }
    uint32_t target(uint32_t e) const { return origin_[next(e)]; }
    /// The other side's half-edge, or kNone on the hull.
    uint32_t opposite(uint32_t e) const { return opposite_[e]; }
    static uint32_t next(uint32_t e) { return e % 3 == 2 ? e - 2 : e + 1; }
    static uint32_t previous(uint32_t e) { return e % 3 == 0 ? e + 2 : e - 1; }
    /// A half-edge that starts at the site, the hull's if there is one; kNone: not in a triangle.
    uint32_t first(uint32_t site) const { return first_[site]; }
    bool on_hull(uint32_t site) const { return opposite_[first_[site]] == kNone; }

    /// Calls use(half-edge) for every half-edge that starts at the site, in turning order. On the
    /// hull the last neighbour, origin(previous(e)) of the last e, has no half-edge from here.
    template <class Use>
    void around(uint32_t site, Use&& use) const {
        const uint32_t begin = first_[site];
        for (uint32_t e = begin; e != kNone;) {
            use(e);
            e = opposite_[previous(e)];
            if (e == begin) return;
        }
    }

private:
    class Builder;
    std::vector<uint32_t> origin_, opposite_, first_;
};

}  // namespace wsi
