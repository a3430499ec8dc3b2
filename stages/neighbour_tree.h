#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/delaunay.h"

namespace wsi {

/// What is asked about a nucleus: how far its nearest neighbours are, how many lie how near.
inline constexpr std::array<size_t, 5> kNeighbourRanks{1, 2, 3, 5, 7};
inline constexpr std::array<int, 3> kNeighbourRadiiUm{10, 20, 50};

struct Neighbourhood {
    static constexpr int64_t kFar = INT64_MAX;
    std::array<int64_t, kNeighbourRanks.back()> squared{};  ///< ascending; kFar: there is none
    std::array<uint32_t, kNeighbourRadiiUm.size()>
        within{};  ///< distance ≤ radius, itself left out
};

/// Balanced tree of points, halved by x and y in turn; 12 bytes per site. Looking up may run in
/// parallel.
class NeighbourTree {
public:
    /// radii: ascending, in grid steps.
    NeighbourTree(std::span<const Site> sites,
                  const std::array<double, kNeighbourRadiiUm.size()>& radii);
    /// Of site number `self`; squared distances in grid steps.
    Neighbourhood look_up(uint32_t self) const;

private:
    struct Query;
    void build(size_t begin, size_t end, bool by_x);
    void search(size_t begin, size_t end, bool by_x, Query& query) const;
    std::span<const Site> given_;
    std::vector<uint32_t> order_;  // of given_, as in sites_
    std::vector<Site> sites_;
    std::array<int64_t, kNeighbourRadiiUm.size()> squared_radii_;
};

}  // namespace wsi
