#include <cmath>
#include <numeric>

#include "stages/neighbours.h"

namespace wsi {

namespace {

class Groups {
public:
    explicit Groups(size_t n) : parent_(n) {
        std::iota(parent_.begin(), parent_.end(), uint32_t{0});
    }
    uint32_t find(uint32_t i) {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }
    void unite(uint32_t a, uint32_t b) { parent_[b] = a; }
    /// Afterwards group(i) is find(i), until something is united.
    void flatten() {
        for (uint32_t i = 0; i < parent_.size(); ++i) parent_[i] = find(i);
    }
    uint32_t group(uint32_t i) const { return parent_[i]; }

private:
    std::vector<uint32_t> parent_;
};

}  // namespace

// Borůvka: every group takes its shortest way out, until one group is left. Lengths are compared as
// whole numbers, equal ones by edge, so that no circle can close.
std::vector<float> spanning_tree_lengths(std::span<const Site> sites, const Delaunay& graph) {
    constexpr uint32_t kNone = Delaunay::kNone;
    const auto squared = [&](uint32_t e) {
        const Site &a = sites[graph.origin(e)], &b = sites[graph.target(e)];
        const int64_t dx = int64_t{a.x} - b.x, dy = int64_t{a.y} - b.y;
        return dx * dx + dy * dy;
    };
    std::vector<float> lengths;
    lengths.reserve(sites.size());
    Groups groups(sites.size());
    std::vector<uint32_t> shortest(sites.size());
    for (bool joined = true; joined;) {
        joined = false;
        groups.flatten();
        std::fill(shortest.begin(), shortest.end(), kNone);
        for (uint32_t e = 0; e < graph.half_edges(); ++e) {
            if (graph.opposite(e) != kNone && graph.opposite(e) < e) continue;
            const uint32_t a = groups.group(graph.origin(e)), b = groups.group(graph.target(e));
            if (a == b) continue;
            for (const uint32_t group : {a, b}) {
                uint32_t& best = shortest[group];
                // Edges come in rising order: an equal one later does not win.
                if (best == kNone || squared(e) < squared(best)) best = e;
            }
        }
        for (uint32_t group = 0; group < sites.size(); ++group) {
            const uint32_t e = shortest[group];
            if (e == kNone) continue;
            const uint32_t a = groups.find(graph.origin(e)), b = groups.find(graph.target(e));
            if (a == b) continue;  // the other group chose the same edge
            groups.unite(a, b);
            lengths.push_back(static_cast<float>(std::sqrt(static_cast<double>(squared(e)))));
            joined = true;
        }
    }
    return lengths;
}

}  // namespace wsi
