#include <algorithm>
#include <map>
#include <unordered_map>

#include "stages/metrics.h"

namespace wsi {

namespace {

/// Sums over the pixels of one pair of ids; either may be background.
struct Cell {
    int64_t area = 0, x = 0, y = 0;
};
using Cells = std::unordered_map<uint64_t, Cell>;

uint64_t key(uint32_t truth, uint32_t found) { return uint64_t{truth} << 32 | found; }

/// Runs of equal pairs go into the table as one, so that its cost per pixel is small.
Cells count_cells(ConstLabelView truth, ConstLabelView found) {
    Cells cells;
    for (int64_t y = 0; y < truth.height; ++y) {
        const uint32_t *t = truth.row(y), *f = found.row(y);
        for (int64_t x = 0, end; x < truth.width; x = end) {
            end = x + 1;
            while (end < truth.width && t[end] == t[x] && f[end] == f[x]) ++end;
            Cell& cell = cells[key(t[x], f[x])];
            cell.area += end - x;
            cell.x += (x + end - 1) * (end - x);  // twice the sum of x
            cell.y += 2 * y * (end - x);
        }
    }
    return cells;
}

using Totals = std::map<uint32_t, Cell>;

void add(Totals& totals, uint32_t id, const Cell& cell) {
    if (id == 0) return;
    Cell& total = totals[id];
    total.area += cell.area;
    total.x += cell.x;
    total.y += cell.y;
}

std::vector<Contingency::Nucleus> nuclei(const Totals& totals) {
    std::vector<Contingency::Nucleus> list;
    for (const auto& [id, sum] : totals) {
        const double twice = 2 * static_cast<double>(sum.area);
        list.push_back(
            {id, sum.area, static_cast<double>(sum.x) / twice, static_cast<double>(sum.y) / twice});
    }
    return list;
}

uint32_t row_of(const std::vector<Contingency::Nucleus>& list, uint32_t id) {
    const auto at =
        std::lower_bound(list.begin(), list.end(), id,
                         [](const auto& nucleus, uint32_t v) { return nucleus.id < v; });
    return static_cast<uint32_t>(at - list.begin());
}

}  // namespace

double Contingency::iou(const Overlap& o) const {
    return static_cast<double>(o.area_px) /
           static_cast<double>(truth[o.truth].area_px + found[o.found].area_px - o.area_px);
}

Contingency contingency(ConstLabelView truth, ConstLabelView found) {
    if (truth.size() != found.size())
        fail(ErrorKind::Config, "labels differ in size: ", truth.width, "x", truth.height, " and ",
             found.width, "x", found.height);
    const Cells cells = count_cells(truth, found);
    Totals truth_totals, found_totals;
    for (const auto& [pair, cell] : cells) {
        add(truth_totals, static_cast<uint32_t>(pair >> 32), cell);
        add(found_totals, static_cast<uint32_t>(pair), cell);
    }
    Contingency table{nuclei(truth_totals), nuclei(found_totals), {}, truth.size().area()};
    for (const auto& [pair, cell] : cells) {
        const auto t = static_cast<uint32_t>(pair >> 32), f = static_cast<uint32_t>(pair);
        if (t != 0 && f != 0)
            table.overlaps.push_back({row_of(table.truth, t), row_of(table.found, f), cell.area});
    }
    std::sort(table.overlaps.begin(), table.overlaps.end(), [](const auto& a, const auto& b) {
        return key(a.truth, a.found) < key(b.truth, b.found);
    });
    return table;
}

}  // namespace wsi
