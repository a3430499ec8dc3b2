#include <algorithm>
#include <numeric>

#include "stages/separate_steps.h"

namespace wsi::separation {

namespace {

/// 8-connected components of the mask as a union of runs.
class RunComponents {
public:
    explicit RunComponents(ImageView<const Height> heights) {
        row_begin_.reserve(static_cast<size_t>(heights.height) + 1);
        size_t above = 0;
        for (int64_t y = 0; y < heights.height; ++y) {
            const size_t begin = runs_.size();
            row_begin_.push_back(begin);
            find_runs(heights.row(y), heights.width);
            join(above, begin);
            above = begin;
        }
        row_begin_.push_back(runs_.size());
    }

    size_t count() const { return runs_.size(); }
    /// The first run of the component that (x, y), a pixel of the mask, belongs to.
    uint32_t root_at(int32_t x, int32_t y) {
        const auto row = runs_.begin() + static_cast<std::ptrdiff_t>(row_begin_[size_t(y)]);
        const auto end = runs_.begin() + static_cast<std::ptrdiff_t>(row_begin_[size_t(y) + 1]);
        const auto run = std::partition_point(row, end, [x](const Run& r) { return r.x1 <= x; });
        return find(static_cast<uint32_t>(run - runs_.begin()));
    }

private:
    struct Run {
        int32_t x0, x1;
        uint32_t parent;
    };

    void find_runs(const Height* row, int64_t width) {
        for (int64_t x = 0; x < width; ++x) {
            if (row[x] == 0) continue;
            const int64_t x0 = x;
            while (x < width && row[x] != 0) ++x;
            runs_.push_back({static_cast<int32_t>(x0), static_cast<int32_t>(x),
                             static_cast<uint32_t>(runs_.size())});
        }
    }

    /// Joins the runs [above, begin) of one row with [begin, end) of the next: one walk along both.
    void join(size_t above, size_t begin) {
        size_t a = above, b = begin;
        while (a < begin && b < runs_.size()) {
            if (runs_[a].x0 <= runs_[b].x1 && runs_[b].x0 <= runs_[a].x1)
                unite(static_cast<uint32_t>(a), static_cast<uint32_t>(b));
            if (runs_[a].x1 < runs_[b].x1)
                ++a;
            else
                ++b;
        }
    }

    uint32_t find(uint32_t r) {
        while (runs_[r].parent != r) r = runs_[r].parent = runs_[runs_[r].parent].parent;
        return r;
    }
    void unite(uint32_t a, uint32_t b) {
        a = find(a);
        b = find(b);
        runs_[std::max(a, b)].parent = std::min(a, b);
    }

    std::vector<Run> runs_;
    std::vector<size_t> row_begin_;
};

}  // namespace

MarkerGroups group_markers(ImageView<const Height> heights, const std::vector<Marker>& markers) {
    RunComponents components(heights);
    std::vector<uint32_t> root(markers.size());
    for (size_t m = 0; m < markers.size(); ++m)
        root[m] = components.root_at(markers[m].x, markers[m].y);
    MarkerGroups groups;
    groups.ranks.resize(markers.size());
    std::iota(groups.ranks.begin(), groups.ranks.end(), 0u);
    std::stable_sort(groups.ranks.begin(), groups.ranks.end(),
                     [&](uint32_t a, uint32_t b) { return root[a] < root[b]; });
    for (size_t i = 0; i < markers.size(); ++i)
        if (i == 0 || root[groups.ranks[i]] != root[groups.ranks[i - 1]]) groups.begin.push_back(i);
    groups.begin.push_back(markers.size());
    return groups;
}

}  // namespace wsi::separation
