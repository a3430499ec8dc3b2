#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/result_store.h"
#include "stages/delaunay.h"
#include "stages/neighbour_tree.h"

namespace wsi {

/// Where a nucleus stands for its neighbours: its centroid, rounded.
Site site_of(const NucleusIdentity& nucleus);
/// Micrometres per step of the grid.
double site_step_um(const WorkFrame& frame);

/// Columns of both classes below, in this order: definitions in docs/features.md.
FeatureSchema neighbour_columns();
inline constexpr size_t kNearestColumns = kNeighbourRanks.size() + kNeighbourRadiiUm.size();
inline constexpr size_t kGraphColumns = 8;

/// Distances of the nearest and numbers of the near. 20 bytes per site.
class NearestNeighbours {
public:
    /// sites: in id order, must outlive it.
    NearestNeighbours(std::span<const Site> sites, double step_um);
    /// out: kNearestColumns values of one site. May run in parallel.
    void row(uint32_t site, float* out) const;

private:
    double step_um_;
    NeighbourTree tree_;
};

/// Delaunay triangulation and Voronoi cells. NaN: not in a triangle (a second site at the same
/// place, all sites on one line); cells on the hull have no area.
class CellGraph {
public:
    CellGraph(std::span<const Site> sites, double step_um);
    /// out: kGraphColumns values. lengths: scratch.
    void row(uint32_t site, std::vector<double>& lengths, float* out) const;
    /// Statistics over the slide, named as in docs/features.md.
    void summarise(std::vector<SummaryValue>& out) const;

private:
    struct Cell {
        double area = 0, perimeter = 0, widest = 0;  // grid steps
    };
    Cell cell_of(uint32_t site) const;
    double length(uint32_t edge) const;
    double triangle_area(uint32_t edge) const;
    double distance(uint32_t a, uint32_t b) const;
    void summarise_cells(std::vector<SummaryValue>& out) const;

    std::span<const Site> sites_;
    double step_um_;
    Delaunay graph_;
};

/// Lengths of the minimum spanning tree's branches, in grid steps. 12 bytes per site.
std::vector<float> spanning_tree_lengths(std::span<const Site> sites, const Delaunay& graph);

/// Appends `<name>_mean`, `_sd`, `_min_max_ratio` and `_disorder` = sd / (mean + sd) of what is
/// left of the values when those more than three standard deviations from the mean are dropped,
/// again and again until there are none (HistomicsTK, compute_global_cell_graph_features). NaN is
/// dropped first; without any value all four are NaN.
void summarise_population(const std::string& name, std::vector<float>& values,
                          std::vector<SummaryValue>& out);

}  // namespace wsi
