// Neighbours against brute force, and against scipy's on real nuclei (tests/fixtures/README.md).
#include "stages/neighbours.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <set>
#include <sstream>

#include "io/types/random.h"

namespace wsi {
namespace {

__extension__ using Wide = __int128;

std::vector<Site> random_sites(size_t n, uint32_t side, uint64_t seed) {
    std::vector<Site> sites(n);
    const auto draw = [side, seed](size_t i) {
        return static_cast<int32_t>(splitmix(seed * 1000003 + i) % side);
    };
    for (size_t i = 0; i < n; ++i) sites[i] = {draw(2 * i), draw(2 * i + 1)};
    return sites;
}

Wide turn(const Site& a, const Site& b, const Site& c) {
    return Wide{b.x - a.x} * (c.y - a.y) - Wide{b.y - a.y} * (c.x - a.x);
}

bool in_circle(const Site& a, const Site& b, const Site& c, const Site& d) {
    const Wide ax = a.x - d.x, ay = a.y - d.y, bx = b.x - d.x, by = b.y - d.y, cx = c.x - d.x,
               cy = c.y - d.y;
    return (ax * ax + ay * ay) * (bx * cy - by * cx) + (bx * bx + by * by) * (cx * ay - cy * ax) +
               (cx * cx + cy * cy) * (ax * by - ay * bx) >
           0;
}

/// Checks what makes a triangulation one, and Delaunay's: no site in any circumcircle.
void expect_delaunay(const std::vector<Site>& sites) {
    const Delaunay graph(sites);
    std::set<std::pair<int32_t, int32_t>> places;
    for (const Site& s : sites) places.insert({s.x, s.y});
    size_t hull = 0, joined = 0, starts = 0;
    for (uint32_t e = 0; e < graph.half_edges(); ++e) {
        const uint32_t f = graph.opposite(e);
        hull += f == Delaunay::kNone;
        if (f == Delaunay::kNone) continue;
        ASSERT_EQ(graph.opposite(f), e);
        ASSERT_EQ(graph.origin(f), graph.target(e));
    }
    for (uint32_t t = 0; t < graph.half_edges(); t += 3) {
        const Site &a = sites[graph.origin(t)], &b = sites[graph.origin(t + 1)],
                   &c = sites[graph.origin(t + 2)];
        ASSERT_GT(turn(a, b, c), 0);
        for (const Site& d : sites) ASSERT_FALSE(in_circle(a, b, c, d));
    }
    for (uint32_t i = 0; i < sites.size(); ++i) {
        if (graph.first(i) == Delaunay::kNone) continue;
        ++joined;
        graph.around(i, [&](uint32_t e) {
            ++starts;
            ASSERT_EQ(graph.origin(e), i);
        });
    }
    ASSERT_EQ(starts, graph.half_edges());
    ASSERT_EQ(joined, places.size());
    // Euler: every place is used and the hull is closed.
    ASSERT_EQ(graph.half_edges() / 3, 2 * places.size() - 2 - hull);
}

TEST(DelaunayTest, circles_around_triangles_are_empty) {
    for (const size_t n : {3u, 4u, 5u, 17u, 300u})
        for (const uint64_t seed : {1u, 2u, 3u, 4u, 5u})
            expect_delaunay(random_sites(n, 1 << 30, seed));
}

TEST(DelaunayTest, lines_circles_and_equal_points_are_no_exception) {
    for (const uint32_t side : {2u, 3u, 6u, 20u})
        for (const uint64_t seed : {1u, 2u, 3u}) expect_delaunay(random_sites(400, side, seed));
    std::vector<Site> circle, fan;
    for (const auto& [x, y] : {std::pair{25, 0}, {24, 7}, {20, 15}, {15, 20}, {7, 24}, {0, 25}})
        for (const int sx : {-1, 1})
            for (const int sy : {-1, 1}) circle.push_back({100 + sx * x, 100 + sy * y});
    expect_delaunay(circle);
    for (int i = 0; i < 9; ++i) fan.push_back({10, 3 * i});
    fan.push_back({11, 500});
    expect_delaunay(fan);
    fan.back() = {9, 500};
    expect_delaunay(fan);
}

TEST(DelaunayTest, ends_of_the_largest_slide_do_not_overflow) {
    const int32_t m = kMostSite;
    expect_delaunay({{0, 0}, {m, 0}, {0, m}, {m, m}, {m / 2, m - 1}, {1, m / 2}, {m / 2, m / 2}});
}

TEST(NearestNeighboursTest, equal_brute_force) {
    for (const uint32_t side : {40u, 1u << 20}) {
        const std::vector<Site> sites = random_sites(700, side, side);
        const double step_um = 60.0 / side * 4;  // some within 10 µm, not all within 50
        const NearestNeighbours nearest(sites, step_um);
        for (uint32_t i = 0; i < sites.size(); ++i) {
            std::vector<double> distances;
            for (uint32_t k = 0; k < sites.size(); ++k)
                if (k != i)
                    distances.push_back(
                        std::hypot(sites[k].x - sites[i].x, sites[k].y - sites[i].y) * step_um);
            std::sort(distances.begin(), distances.end());
            std::array<float, kNearestColumns> row;
            nearest.row(i, row.data());
            for (size_t k = 0; k < kNeighbourRanks.size(); ++k)
                ASSERT_EQ(row[k], static_cast<float>(distances[kNeighbourRanks[k] - 1]));
            for (size_t r = 0; r < kNeighbourRadiiUm.size(); ++r)
                ASSERT_EQ(row[kNeighbourRanks.size() + r],
                          std::count_if(distances.begin(), distances.end(),
                                        [&](double d) { return d <= kNeighbourRadiiUm[r]; }));
        }
    }
}

TEST(NearestNeighboursTest, what_is_not_there_is_nan) {
    const std::vector<Site> sites{{5, 5}, {5, 5}, {8, 9}};
    std::array<float, kNearestColumns> row;
    NearestNeighbours(sites, 2).row(0, row.data());
    EXPECT_EQ(row[0], 0);
    EXPECT_EQ(row[1], 10);
    EXPECT_TRUE(std::isnan(row[2]));
    EXPECT_EQ(row[5], 2);  // within 10 µm: the one at 10 µm too
}

/// Row of a site by name.
std::map<std::string, double> graph_row(const CellGraph& graph, uint32_t site) {
    std::array<float, kGraphColumns> row;
    std::vector<double> scratch;
    graph.row(site, scratch, row.data());
    const FeatureSchema columns = neighbour_columns();
    std::map<std::string, double> out;
    for (size_t k = 0; k < row.size(); ++k)
        out[columns[kNearestColumns + k].name] = static_cast<double>(row[k]);
    return out;
}

TEST(CellGraphTest, a_site_in_a_square_lattice_has_a_square_cell) {
    std::vector<Site> sites;
    for (int y = 0; y < 5; ++y)
        for (int x = 0; x < 5; ++x) sites.push_back({100 * x, 100 * y});
    const CellGraph graph(sites, 0.5);
    auto middle = graph_row(graph, 12), corner = graph_row(graph, 0);
    EXPECT_DOUBLE_EQ(middle["neighbours_voronoi_area_um2"], 2500);
    EXPECT_DOUBLE_EQ(middle["neighbours_delaunay_min_um"], 50);
    EXPECT_DOUBLE_EQ(middle["neighbours_delaunay_max_triangle_um2"], 1250);
    EXPECT_GE(middle["neighbours_delaunay_degree"], 4);
    EXPECT_TRUE(std::isnan(corner["neighbours_voronoi_area_um2"]));
    EXPECT_GE(corner["neighbours_delaunay_degree"], 2);
    EXPECT_DOUBLE_EQ(corner["neighbours_delaunay_min_um"], 50);
}

TEST(CellGraphTest, without_a_triangle_every_value_is_nan) {
    for (const std::vector<Site>& sites :
         {std::vector<Site>{{1, 1}}, {{1, 1}, {5, 5}}, {{1, 1}, {2, 2}, {9, 9}, {4, 4}}}) {
        const CellGraph graph(sites, 1);
        for (const auto& [name, value] : graph_row(graph, 0))
            EXPECT_TRUE(std::isnan(value)) << name;
        std::vector<SummaryValue> summary;
        graph.summarise(summary);
        EXPECT_EQ(summary.size(), 24u);
        for (const SummaryValue& v : summary) EXPECT_TRUE(std::isnan(v.value)) << v.name;
    }
    std::vector<SummaryValue> none;
    CellGraph({}, 1).summarise(none);
    EXPECT_EQ(none.size(), 24u);
}

TEST(SpanningTreeTest, is_as_short_as_prims) {
    for (const uint32_t side : {30u, 1u << 16}) {
        const std::vector<Site> sites = random_sites(200, side, 7);
        std::set<std::pair<int32_t, int32_t>> places;
        for (const Site& s : sites) places.insert({s.x, s.y});
        const std::vector<std::pair<int32_t, int32_t>> p(places.begin(), places.end());
        std::vector<double> near(p.size(), 1e18);
        std::vector<bool> in(p.size());
        double total = 0, found = 0;
        for (size_t step = 0, i = 0; step + 1 < p.size(); ++step) {
            in[i] = true;
            size_t best = p.size();
            for (size_t k = 0; k < p.size(); ++k) {
                if (in[k]) continue;
                near[k] = std::min(near[k],
                                   std::hypot(p[k].first - p[i].first, p[k].second - p[i].second));
                if (best == p.size() || near[k] < near[best]) best = k;
            }
            total += near[best];
            i = best;
        }
        const std::vector<float> lengths = spanning_tree_lengths(sites, Delaunay(sites));
        for (const float v : lengths) found += static_cast<double>(v);
        EXPECT_EQ(lengths.size(), places.size() - 1);
        EXPECT_NEAR(found, total, 1e-6 * total);
    }
}

TEST(PopulationTest, outliers_are_dropped_until_there_are_none) {
    std::vector<float> values(20, 1);
    values.insert(values.end(), 20, 3.0f);
    values.insert(values.end(), {30, 500, std::nanf("")});
    std::vector<SummaryValue> out;
    summarise_population("v", values, out);
    ASSERT_EQ(out.size(), 4u);
    EXPECT_EQ(out[0].name, "v_mean");
    EXPECT_EQ(out[0].value, 2);
    EXPECT_EQ(out[1].value, 1);
    EXPECT_EQ(out[2].value, 1.0 / 3);
    EXPECT_EQ(out[3].value, 1.0 / 3);
}

/// scipy.spatial's and HistomicsTK's values of 145 real nuclei.
TEST(NeighboursGoldenTest, equal_scipys) {
    std::ifstream file(std::string(WSI_SOURCE_DIR) + "/tests/fixtures/nuclei/neighbours.csv");
    std::string line, cell;
    const auto cells_of = [&] {
        std::vector<std::string> cells;
        for (std::stringstream s(line); std::getline(s, cell, ',');) cells.push_back(cell);
        return cells;
    };
    const auto number = [](const std::string& text) {
        double v = std::nan("");
        std::from_chars(text.data(), text.data() + text.size(), v);
        return v;
    };
    std::getline(file, line);
    const auto names = cells_of();
    std::vector<Site> sites;
    std::vector<std::map<std::string, double>> rows;
    std::map<std::string, double> summary;
    while (std::getline(file, line)) {
        const auto cells = cells_of();
        if (cells[0] == "summary") {
            summary[cells[1]] = number(cells[2]);
            continue;
        }
        auto& row = rows.emplace_back();
        for (size_t k = 0; k < names.size(); ++k)
            row[names[k]] = k < cells.size() ? number(cells[k]) : std::nan("");
        sites.push_back({static_cast<int32_t>(row["x"]), static_cast<int32_t>(row["y"])});
    }
    ASSERT_EQ(rows.size(), 145u);
    const double step_um = 0.25 / kSitesPerPx;
    const NearestNeighbours nearest(sites, step_um);
    const CellGraph graph(sites, step_um);
    const FeatureSchema columns = neighbour_columns();
    std::vector<double> scratch;
    std::array<std::vector<float>, kNearestColumns> populations;
    for (uint32_t i = 0; i < sites.size(); ++i) {
        std::array<float, kNearestColumns + kGraphColumns> row;
        nearest.row(i, row.data());
        graph.row(i, scratch, row.data() + kNearestColumns);
        for (size_t k = 0; k < kNearestColumns; ++k) populations[k].push_back(row[k]);
        for (size_t k = 0; k < row.size(); ++k) {
            ASSERT_TRUE(rows[i].contains(columns[k].name));
            const double expected = rows[i][columns[k].name], found = static_cast<double>(row[k]);
            EXPECT_EQ(std::isnan(found), std::isnan(expected)) << columns[k].name << " of " << i;
            if (std::isnan(expected)) continue;
            EXPECT_NEAR(found, expected, 1e-5 * std::abs(expected)) << columns[k].name;
        }
    }
    std::vector<SummaryValue> found;
    for (size_t k = 2; k < kNearestColumns; ++k)
        summarise_population(columns[k].name, populations[k], found);
    graph.summarise(found);
    ASSERT_EQ(summary.size(), 48u);
    for (const SummaryValue& v : found) {
        ASSERT_TRUE(summary.contains(v.name)) << v.name;
        EXPECT_NEAR(v.value, summary[v.name], 1e-5 * std::max(1.0, std::abs(summary[v.name])))
            << v.name;
    }
}

}  // namespace
}  // namespace wsi
