#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "io/types/image.h"

namespace wsi {

/// What makes neighbours one run: the same value, or being of the mask at all.
struct SameValue {
    template <class T>
    T operator()(T pixel) const {
        return pixel;
    }
};
struct NotZero {
    template <class T>
    T operator()(T pixel) const {
        return pixel != 0;
    }
};

/// The first column after x whose key differs from that of row[x]; width when there is none.
template <class T, class Key = SameValue>
int64_t run_end(const T* row, int64_t x, int64_t width, Key key = {}) {
    constexpr int64_t kBlock = 16;
    const T value = key(row[x]);
    for (; x + kBlock <= width; x += kBlock) {
        T difference = 0;
        for (int64_t i = 0; i < kBlock; ++i)
            difference = static_cast<T>(difference | (key(row[x + i]) ^ value));
        if (difference != 0) break;
    }
    while (x < width && key(row[x]) == value) ++x;
    return x;
}

/// Connected components of non-zero pixels of equal key as unions of row runs, in raster order.
class RunComponents {
public:
    struct Run {
        int32_t y, x0, x1;
        uint32_t root;  ///< index of the component's first run
    };

    /// touch: 0 = 4-connected, 1 = 8-connected.
    template <class T, class Key>
    RunComponents(ImageView<const T> pixels, Key key, int touch) : touch_(touch) {
        row_begin_.reserve(static_cast<size_t>(pixels.height) + 1);
        size_t above = 0;
        for (int64_t y = 0; y < pixels.height; ++y) {
            const size_t begin = runs_.size();
            row_begin_.push_back(begin);
            find_runs(pixels.row(y), y, pixels.width, key);
            join(above, begin, [&](const Run& a, const Run& b) {
                return key(pixels(a.x0, a.y)) == key(pixels(b.x0, b.y));
            });
            above = begin;
        }
        row_begin_.push_back(runs_.size());
        for (Run& run : runs_) run.root = runs_[run.root].root;  // roots come first
    }

    const std::vector<Run>& runs() const { return runs_; }
    /// The root of the component that (x, y), not a zero pixel, belongs to.
    uint32_t root_at(int32_t x, int32_t y) const {
        const auto row = static_cast<size_t>(y);
        const auto at = [this](size_t i) {
            return runs_.begin() + static_cast<std::ptrdiff_t>(row_begin_[i]);
        };
        return std::partition_point(at(row), at(row + 1), [x](const Run& r) { return r.x1 <= x; })
            ->root;
    }

private:
    template <class T, class Key>
    void find_runs(const T* row, int64_t y, int64_t width, Key key) {
        for (int64_t x = 0; x < width;) {
            const int64_t x1 = run_end(row, x, width, key);
            if (row[x] != 0)
                runs_.push_back({static_cast<int32_t>(y), static_cast<int32_t>(x),
                                 static_cast<int32_t>(x1), static_cast<uint32_t>(runs_.size())});
            x = x1;
        }
    }

    /// Joins the runs [above, begin) of one row with those from `begin` on: one walk along both.
    template <class Same>
    void join(size_t above, size_t begin, const Same& same) {
        size_t a = above, b = begin;
        while (a < begin && b < runs_.size()) {
            const Run &upper = runs_[a], &lower = runs_[b];
            if (upper.x0 < lower.x1 + touch_ && lower.x0 < upper.x1 + touch_ && same(upper, lower))
                unite(find(static_cast<uint32_t>(a)), find(static_cast<uint32_t>(b)));
            if (upper.x1 < lower.x1)
                ++a;
            else
                ++b;
        }
    }

    uint32_t find(uint32_t r) {
        while (runs_[r].root != r) r = runs_[r].root = runs_[runs_[r].root].root;
        return r;
    }
    void unite(uint32_t a, uint32_t b) { runs_[std::max(a, b)].root = std::min(a, b); }

    const int touch_;
    std::vector<Run> runs_;
    std::vector<size_t> row_begin_;
};

}  // namespace wsi
