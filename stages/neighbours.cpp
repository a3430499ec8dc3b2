#include "stages/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wsi {

namespace {

constexpr float kUndefined = std::numeric_limits<float>::quiet_NaN();

std::array<double, kNeighbourRadiiUm.size()> radii_in_steps(double step_um) {
    std::array<double, kNeighbourRadiiUm.size()> out{};
    for (size_t r = 0; r < out.size(); ++r) out[r] = kNeighbourRadiiUm[r] / step_um;
    return out;
}

}  // namespace

Site site_of(const NucleusIdentity& nucleus) {
    const auto step = [](double px) {
        const double at = std::round(px * kSitesPerPx);
        WSI_CHECK(at >= 0 && at <= kMostSite, "centroid at ", px);
        return static_cast<int32_t>(at);
    };
    return {step(nucleus.centroid_x_px), step(nucleus.centroid_y_px)};
}

double site_step_um(const WorkFrame& frame) { return frame.mpp() / frame.downsample / kSitesPerPx; }

FeatureSchema neighbour_columns() {
    FeatureSchema all;
    for (const size_t rank : kNeighbourRanks)
        all.push_back({"neighbours_nearest_" + std::to_string(rank) + "_um", "um",
                       "distance of the nearest nucleus number " + std::to_string(rank)});
    for (const int radius : kNeighbourRadiiUm)
        all.push_back({"neighbours_count_" + std::to_string(radius) + "um", "1",
                       "nuclei within " + std::to_string(radius) + " um"});
    const FeatureSchema graph{
        {"neighbours_delaunay_degree", "1", "neighbours in the Delaunay triangulation"},
        {"neighbours_delaunay_mean_um", "um", "mean distance of those neighbours"},
        {"neighbours_delaunay_median_um", "um", "median distance of those neighbours"},
        {"neighbours_delaunay_min_um", "um", "least distance of those neighbours"},
        {"neighbours_delaunay_max_um", "um", "largest distance of those neighbours"},
        {"neighbours_delaunay_mean_triangle_um2", "um2", "mean area of the triangles around it"},
        {"neighbours_delaunay_max_triangle_um2", "um2", "largest area of the triangles around it"},
        {"neighbours_voronoi_area_um2", "um2", "area nearer to it than to any other nucleus"},
    };
    WSI_CHECK(graph.size() == kGraphColumns && all.size() == kNearestColumns);
    all.insert(all.end(), graph.begin(), graph.end());
    return all;
}

NearestNeighbours::NearestNeighbours(std::span<const Site> sites, double step_um)
    : step_um_(step_um), tree_(sites, radii_in_steps(step_um)) {}

void NearestNeighbours::row(uint32_t site, float* out) const {
    const Neighbourhood found = tree_.look_up(site);
    for (const size_t rank : kNeighbourRanks) {
        const int64_t squared = found.squared[rank - 1];
        *out++ = squared == Neighbourhood::kFar
                     ? kUndefined
                     : static_cast<float>(std::sqrt(static_cast<double>(squared)) * step_um_);
    }
    for (const uint32_t count : found.within) *out++ = static_cast<float>(count);
}

CellGraph::CellGraph(std::span<const Site> sites, double step_um)
    : sites_(sites), step_um_(step_um), graph_(sites) {}

double CellGraph::distance(uint32_t a, uint32_t b) const {
    const double dx = static_cast<double>(sites_[a].x) - sites_[b].x,
                 dy = static_cast<double>(sites_[a].y) - sites_[b].y;
    return std::sqrt(dx * dx + dy * dy);
}

double CellGraph::length(uint32_t e) const { return distance(graph_.origin(e), graph_.target(e)); }

double CellGraph::triangle_area(uint32_t e) const {
    const Site &a = sites_[graph_.origin(e)], &b = sites_[graph_.target(e)],
               &c = sites_[graph_.origin(Delaunay::previous(e))];
    const int64_t twice =
        (int64_t{b.x} - a.x) * (int64_t{c.y} - a.y) - (int64_t{b.y} - a.y) * (int64_t{c.x} - a.x);
    return static_cast<double>(twice) / 2;
}

void CellGraph::row(uint32_t site, std::vector<double>& lengths, float* out) const {
    if (graph_.first(site) == Delaunay::kNone) {
        std::fill_n(out, kGraphColumns, kUndefined);
        return;
    }
    lengths.clear();
    double areas = 0, largest = 0, triangles = 0;
    uint32_t last = 0;
    graph_.around(site, [&](uint32_t e) {
        lengths.push_back(length(e));
        const double area = triangle_area(e);
        areas += area;
        largest = std::max(largest, area);
        triangles += 1;
        last = e;
    });
    const bool on_hull = graph_.on_hull(site);
    if (on_hull) lengths.push_back(distance(site, graph_.origin(Delaunay::previous(last))));
    std::sort(lengths.begin(), lengths.end());
    const size_t n = lengths.size();
    double sum = 0;
    for (const double v : lengths) sum += v;
    const double um2 = step_um_ * step_um_;
    *out++ = static_cast<float>(n);
    *out++ = static_cast<float>(sum / static_cast<double>(n) * step_um_);
    *out++ = static_cast<float>((lengths[(n - 1) / 2] + lengths[n / 2]) / 2 * step_um_);
    *out++ = static_cast<float>(lengths.front() * step_um_);
    *out++ = static_cast<float>(lengths.back() * step_um_);
    *out++ = static_cast<float>(areas / triangles * um2);
    *out++ = static_cast<float>(largest * um2);
    *out = on_hull ? kUndefined : static_cast<float>(cell_of(site).area * um2);
}

/// The polygon of the circumcentres of the triangles around an inner site.
CellGraph::Cell CellGraph::cell_of(uint32_t site) const {
    struct Point {
        double x, y;
    };
    std::array<Point, 32> corners;  // more is possible, never seen but on drawn circles
    std::vector<Point> many;
    size_t n = 0;
    graph_.around(site, [&](uint32_t e) {
        const Site &o = sites_[site], &b = sites_[graph_.target(e)],
                   &c = sites_[graph_.origin(Delaunay::previous(e))];
        const double bx = static_cast<double>(b.x) - o.x, by = static_cast<double>(b.y) - o.y;
        const double cx = static_cast<double>(c.x) - o.x, cy = static_cast<double>(c.y) - o.y;
        const double twice = 2 * (bx * cy - by * cx), bb = bx * bx + by * by,
                     cc = cx * cx + cy * cy;
        const Point corner{(cy * bb - by * cc) / twice, (bx * cc - cx * bb) / twice};
        if (n == corners.size()) many.assign(corners.begin(), corners.end());
        if (n < corners.size())
            corners[n] = corner;
        else
            many.push_back(corner);
        ++n;
    });
    const Point* p = n > corners.size() ? many.data() : corners.data();
    const auto apart = [](const Point& a, const Point& b) {
        return std::sqrt((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
    };
    Cell cell;
    for (size_t i = 0; i < n; ++i) {
        const Point &a = p[i], &b = p[i + 1 < n ? i + 1 : 0];
        cell.area += a.x * b.y - a.y * b.x;
        cell.perimeter += apart(a, b);
        for (size_t k = i + 1; k < n; ++k) cell.widest = std::max(cell.widest, apart(a, p[k]));
    }
    cell.area = std::abs(cell.area) / 2;
    return cell;
}

void CellGraph::summarise_cells(std::vector<SummaryValue>& out) const {
    std::vector<float> area, perimeter, widest;
    for (auto* values : {&area, &perimeter, &widest}) values->reserve(sites_.size());
    for (uint32_t site = 0; site < sites_.size(); ++site) {
        if (graph_.first(site) == Delaunay::kNone || graph_.on_hull(site)) continue;
        const Cell cell = cell_of(site);
        area.push_back(static_cast<float>(cell.area * step_um_ * step_um_));
        perimeter.push_back(static_cast<float>(cell.perimeter * step_um_));
        widest.push_back(static_cast<float>(cell.widest * step_um_));
    }
    summarise_population("voronoi_area_um2", area, out);
    summarise_population("voronoi_perimeter_um", perimeter, out);
    summarise_population("voronoi_max_distance_um", widest, out);
}

void CellGraph::summarise(std::vector<SummaryValue>& out) const {
    summarise_cells(out);
    std::vector<float> values;
    values.reserve(graph_.half_edges() / 2 + 8);
    for (uint32_t e = 0; e < graph_.half_edges(); ++e) {
        const uint32_t other = graph_.opposite(e);  // each edge once
        if (other == Delaunay::kNone || e < other)
            values.push_back(static_cast<float>(length(e) * step_um_));
    }
    summarise_population("delaunay_side_um", values, out);
    values.clear();
    for (uint32_t e = 0; e < graph_.half_edges(); e += 3)
        values.push_back(static_cast<float>(triangle_area(e) * step_um_ * step_um_));
    summarise_population("delaunay_area_um2", values, out);
    values = {};  // its memory first
    values = spanning_tree_lengths(sites_, graph_);
    for (float& v : values) v *= static_cast<float>(step_um_);
    summarise_population("mst_branch_um", values, out);
}

void summarise_population(const std::string& name, std::vector<float>& values,
                          std::vector<SummaryValue>& out) {
    std::erase_if(values, [](float v) { return std::isnan(v); });
    double mean = std::numeric_limits<double>::quiet_NaN(), sd = mean, ratio = mean,
           disorder = mean;
    for (bool dropped = !values.empty(); dropped;) {
        const auto n = static_cast<double>(values.size());
        double sum = 0, squares = 0;
        for (const float v : values) sum += static_cast<double>(v);
        mean = sum / n;
        for (const float v : values) squares += std::pow(static_cast<double>(v) - mean, 2);
        sd = std::sqrt(squares / n);
        dropped = std::erase_if(values, [&](float v) {
                      return std::abs(static_cast<double>(v) - mean) > 3 * sd;
                  }) > 0;
    }
    if (!values.empty()) {
        const auto [least, most] = std::ranges::minmax(values);
        ratio = most != 0 ? static_cast<double>(least) / static_cast<double>(most) : 0;
        disorder = mean + sd != 0 ? sd / (mean + sd) : 0;
    }
    out.push_back({name + "_mean", mean});
    out.push_back({name + "_sd", sd});
    out.push_back({name + "_min_max_ratio", ratio});
    out.push_back({name + "_disorder", disorder});
}

}  // namespace wsi
