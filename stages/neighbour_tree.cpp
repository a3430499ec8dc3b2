#include "stages/neighbour_tree.h"

#include <algorithm>
#include <numeric>

namespace wsi {

namespace {
constexpr size_t kLeaf = 12;
constexpr size_t kMostNearest = kNeighbourRanks.back();
constexpr size_t kRadii = kNeighbourRadiiUm.size();
constexpr int64_t kFar = Neighbourhood::kFar;
}  // namespace

struct NeighbourTree::Query {
    Site at;
    uint32_t self;
    Neighbourhood out;
    int64_t reach;  // squared: nothing beyond it is wanted any more
};

NeighbourTree::NeighbourTree(std::span<const Site> sites, const std::array<double, kRadii>& radii)
    : given_(sites), order_(sites.size()), sites_(sites.size()) {
    std::iota(order_.begin(), order_.end(), uint32_t{0});
    build(0, sites.size(), true);
    for (size_t i = 0; i < sites.size(); ++i) sites_[i] = sites[order_[i]];
    for (size_t r = 0; r < kRadii; ++r)
        squared_radii_[r] = static_cast<int64_t>(radii[r] * radii[r]);  // rounds down: d² is whole
}

void NeighbourTree::build(size_t begin, size_t end, bool by_x) {
    if (end - begin <= kLeaf) return;
    const size_t middle = (begin + end) / 2;
    const auto at = [this](size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(begin), at(middle), at(end), [this, by_x](uint32_t a, uint32_t b) {
        return by_x ? given_[a].x < given_[b].x : given_[a].y < given_[b].y;
    });
    build(begin, middle, !by_x);
    build(middle + 1, end, !by_x);
}

namespace {
void keep_if_near(int64_t squared, Neighbourhood& out) {
    if (squared >= out.squared.back()) return;
    size_t place = kMostNearest - 1;
    for (; place > 0 && out.squared[place - 1] > squared; --place)
        out.squared[place] = out.squared[place - 1];
    out.squared[place] = squared;
}
}  // namespace

void NeighbourTree::search(size_t begin, size_t end, bool by_x, Query& query) const {
    const auto take = [&](size_t i) {
        const int64_t dx = int64_t{sites_[i].x} - query.at.x,
                      dy = int64_t{sites_[i].y} - query.at.y;
        const int64_t squared = dx * dx + dy * dy;
        if (squared > query.reach || order_[i] == query.self) return;
        for (size_t r = 0; r < kRadii; ++r) query.out.within[r] += squared <= squared_radii_[r];
        keep_if_near(squared, query.out);
        query.reach = std::max(squared_radii_.back(), query.out.squared.back());
    };
    if (end - begin <= kLeaf) {
        for (size_t i = begin; i < end; ++i) take(i);
        return;
    }
    const size_t middle = (begin + end) / 2;
    const int64_t beyond =
        by_x ? int64_t{query.at.x} - sites_[middle].x : int64_t{query.at.y} - sites_[middle].y;
    const bool low_first = beyond < 0;
    if (low_first)
        search(begin, middle, !by_x, query);
    else
        search(middle + 1, end, !by_x, query);
    take(middle);
    if (beyond * beyond > query.reach) return;
    if (low_first)
        search(middle + 1, end, !by_x, query);
    else
        search(begin, middle, !by_x, query);
}

Neighbourhood NeighbourTree::look_up(uint32_t self) const {
    Query query{given_[self], self, {}, kFar};
    query.out.squared.fill(kFar);
    search(0, sites_.size(), true, query);
    return query.out;
}

}  // namespace wsi
