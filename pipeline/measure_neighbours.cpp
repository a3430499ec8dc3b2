#include "pipeline/measure_neighbours.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

#include "stages/neighbours.h"

namespace wsi {

namespace {

constexpr size_t kBlock = 1 << 16;

/// Computes rows of `columns` values in parallel, block by block; use(values) gets one column of a
/// block at a time, [column][rows of the block].
template <class Row, class Use>
void for_each_block(size_t sites, size_t columns, Row&& row, Use&& use) {
    std::vector<float> rows, values;
    for (size_t first = 0; first < sites; first += kBlock) {
        const size_t n = std::min(kBlock, sites - first);
        rows.resize(n * columns);
        tbb::parallel_for(tbb::blocked_range<size_t>(0, n, 1024), [&](const auto& range) {
            row(static_cast<uint32_t>(first + range.begin()),
                static_cast<uint32_t>(first + range.end()), rows.data() + range.begin() * columns);
        });
        values.resize(n);
        for (size_t k = 0; k < columns; ++k) {
            for (size_t i = 0; i < n; ++i) values[i] = rows[i * columns + k];
            use(k, values);
        }
    }
}

/// Of nearest distances and counts that the slide's summary describes: HistomicsTK's choice of
/// ranks, all radii.
bool in_summary(size_t column) {
    return column >= kNeighbourRanks.size() || kNeighbourRanks[column] > 2;
}

}  // namespace

void measure_neighbours(std::span<const Site> sites, const WorkFrame& frame,
                        const ResultHeader& header, ResultWriter& out, RunStatus& status) {
    status.enter("neighbours");
    const FeatureSchema columns = neighbour_columns();
    const size_t first = header.schema.size() - columns.size();
    const double step_um = site_step_um(frame);
    std::vector<SummaryValue> summary;
    {
        const NearestNeighbours nearest(sites, step_um);
        std::array<std::vector<float>, kNearestColumns> populations;
        const auto rows = [&](uint32_t begin, uint32_t end, float* to) {
            for (uint32_t i = begin; i < end; ++i, to += kNearestColumns) nearest.row(i, to);
        };
        for_each_block(
            sites.size(), kNearestColumns, rows, [&](size_t k, const std::vector<float>& values) {
                out.append_column(first + k, values);
                if (in_summary(k))
                    populations[k].insert(populations[k].end(), values.begin(), values.end());
            });
        for (size_t k = 0; k < kNearestColumns; ++k)
            if (in_summary(k)) summarise_population(columns[k].name, populations[k], summary);
    }
    status.phase_fraction = 0.5;
    const CellGraph graph(sites, step_um);
    const auto rows = [&](uint32_t begin, uint32_t end, float* to) {
        std::vector<double> lengths;
        for (uint32_t i = begin; i < end; ++i, to += kGraphColumns) graph.row(i, lengths, to);
    };
    for_each_block(sites.size(), kGraphColumns, rows,
                   [&](size_t k, const std::vector<float>& values) {
                       out.append_column(first + kNearestColumns + k, values);
                   });
    graph.summarise(summary);
    out.add_summary("graph", summary);
    status.at("assembly");
}

}  // namespace wsi
