#include <algorithm>
#include <utility>

#include "stages/run_components.h"
#include "stages/separate_steps.h"

// Background runs that one label bounds on the left and on the right are joined, row by row, into
// components. A component is a hole when nothing but that label and its own runs ever touched it.
namespace wsi::separation {

namespace {

template <class Label>
class HoleFiller {
public:
    HoleFiller(ImageView<Label> labels, int max_side, int64_t max_area, Connectivity background)
        : labels_(labels),
          max_side_(max_side),
          max_area_(max_area),
          touch_(background == Connectivity::Eight ? 1 : 0) {}

    void run() {
        for (int64_t y = 0; y < labels_.height; ++y) {
            above_ = begin_;
            begin_ = runs_.size();
            find_runs(y);
            check_row(above_, begin_, y);
            check_row(begin_, runs_.size(), y - 1);
            join();
        }
        for (size_t r = begin_; r < runs_.size(); ++r) open(r);  // touches the window's last row
        fill();
    }

private:
    struct Run {
        int32_t y, x0, x1;
        Label label;
        bool open;
        uint32_t parent;
        int32_t top, left, right, bottom, area;
    };

    size_t find(size_t r) {
        while (runs_[r].parent != r) {
            runs_[r].parent = runs_[runs_[r].parent].parent;
            r = runs_[r].parent;
        }
        return r;
    }
    void open(size_t r) { runs_[find(r)].open = true; }

    void find_runs(int64_t y) {
        const Label* row = labels_.row(y);
        for (int64_t x = 0; x < labels_.width;) {
            const int64_t end = run_end(row, x, labels_.width);
            const auto x0 = static_cast<int32_t>(std::exchange(x, end)),
                       x1 = static_cast<int32_t>(end), y0 = static_cast<int32_t>(y);
            if (row[x0] != 0 || x0 == 0 || x1 == labels_.width || x1 - x0 > max_side_ ||
                row[x0 - 1] != row[x1])
                continue;
            runs_.push_back({y0, x0, x1, row[x1], y == 0, static_cast<uint32_t>(runs_.size()), y0,
                             x0, x1, y0 + 1, x1 - x0});
        }
    }

    /// Looks from one row's runs [first, last) at row y above or below: another label opens the
    /// component.
    void check_row(size_t first, size_t last, int64_t y) {
        if (first == last || y < 0 || y >= labels_.height) return;
        const bool below = y > runs_[first].y;
        size_t other = below ? begin_ : above_;
        const size_t others_end = below ? runs_.size() : begin_;
        for (size_t r = first; r < last; ++r) {
            while (other < others_end && runs_[other].x1 <= runs_[r].x0 - touch_) ++other;
            if (leads_out(runs_[r], labels_.row(y), other, others_end)) open(r);
        }
    }

    /// Whether a run touches, in a neighbouring row, another label or background that belongs to no
    /// bounded run of its own label; that row's runs beside it begin at `other`.
    bool leads_out(const Run& run, const Label* row, size_t other, size_t others_end) const {
        const int32_t from = run.x0 - touch_, to = run.x1 + touch_;
        int32_t background = 0, known = 0;
        for (int32_t x = from; x < to; ++x) {
            if (row[x] == 0)
                ++background;
            else if (row[x] != run.label)
                return true;
        }
        for (; other < others_end && runs_[other].x0 < to; ++other)
            if (runs_[other].label == run.label)
                known += std::min(to, runs_[other].x1) - std::max(from, runs_[other].x0);
        return known != background;
    }

    /// Joins the runs of the last two rows: one walk along both.
    void join() {
        size_t a = above_, b = begin_;
        while (a < begin_ && b < runs_.size()) {
            const Run &upper = runs_[a], &lower = runs_[b];
            if (upper.label == lower.label && upper.x0 - touch_ < lower.x1 &&
                lower.x0 - touch_ < upper.x1)
                unite(find(a), find(b));
            if (upper.x1 < lower.x1)
                ++a;
            else
                ++b;
        }
    }

    void unite(size_t a, size_t b) {
        if (a == b) return;
        if (b < a) std::swap(a, b);
        Run &keep = runs_[a], &gone = runs_[b];
        gone.parent = static_cast<uint32_t>(a);
        keep.open = keep.open || gone.open;
        keep.top = std::min(keep.top, gone.top);
        keep.left = std::min(keep.left, gone.left);
        keep.right = std::max(keep.right, gone.right);
        keep.bottom = std::max(keep.bottom, gone.bottom);
        keep.area += gone.area;
    }

    void fill() {
        for (size_t r = 0; r < runs_.size(); ++r) {
            const Run& root = runs_[find(r)];
            if (root.open || root.area > max_area_ || root.right - root.left > max_side_ ||
                root.bottom - root.top > max_side_)
                continue;
            std::fill(labels_.at(runs_[r].x0, runs_[r].y), labels_.at(runs_[r].x1, runs_[r].y),
                      runs_[r].label);
        }
    }

    ImageView<Label> labels_;
    const int max_side_;
    const int64_t max_area_;
    const int32_t touch_;
    std::vector<Run> runs_;
    size_t above_ = 0, begin_ = 0;  // where the runs of the last two rows begin
};

}  // namespace

template <class Label>
void fill_holes(ImageView<Label> labels, int max_side, int64_t max_area, Connectivity background) {
    HoleFiller<Label>(labels, max_side, max_area, background).run();
}

template void fill_holes(ImageView<uint8_t>, int, int64_t, Connectivity);
template void fill_holes(ImageView<uint32_t>, int, int64_t, Connectivity);

}  // namespace wsi::separation
