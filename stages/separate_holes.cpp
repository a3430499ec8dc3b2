#include <algorithm>
#include <numeric>

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
            previous_.swap(current_);
            current_.clear();
            find_runs(y);
            if (!previous_.empty() || !current_.empty()) {
                for (const size_t r : previous_) check_row(runs_[r], y);
                for (const size_t r : current_) check_row(runs_[r], y - 1);
                join();
            }
        }
        for (const size_t r : current_) open(r);  // touches the window's last row
        fill();
    }

private:
    struct Run {
        int64_t y, x0, x1;
        Label label;
        size_t parent;
        bool open;
        int64_t top, left, right, bottom, area;
    };

    size_t find(size_t r) {
        while (runs_[r].parent != r) r = runs_[r].parent = runs_[runs_[r].parent].parent;
        return r;
    }
    void open(size_t r) { runs_[find(r)].open = true; }

    void find_runs(int64_t y) {
        const Label* row = labels_.row(y);
        for (int64_t x = 0; x < labels_.width;) {
            const int64_t x0 = x, x1 = run_end(row, x, labels_.width);
            x = x1;
            if (row[x0] != 0 || x0 == 0 || x1 == labels_.width || x1 - x0 > max_side_ ||
                row[x0 - 1] != row[x1])
                continue;
            current_.push_back(runs_.size());
            runs_.push_back({y, x0, x1, row[x1], runs_.size(), y == 0, y, x0, x1, y + 1, x1 - x0});
        }
    }

    /// Looks at the row above or below a run: another label opens the component.
    void check_row(const Run& run, int64_t y) {
        if (y < 0 || y >= labels_.height) return;
        const Label* row = labels_.row(y);
        const auto& others = y == run.y + 1 ? current_ : previous_;
        const int64_t from = run.x0 - touch_, to = run.x1 + touch_;
        int64_t background = 0, known = 0;
        for (int64_t x = from; x < to; ++x) {
            if (row[x] == 0)
                ++background;
            else if (row[x] != run.label)
                return open(run.parent);
        }
        // Background there that belongs to no bounded run of this label leads out.
        for (const size_t r : others)
            if (runs_[r].label == run.label)
                known +=
                    std::max<int64_t>(0, std::min(to, runs_[r].x1) - std::max(from, runs_[r].x0));
        if (known != background) open(run.parent);
    }

    void join() {
        for (const size_t a : previous_)
            for (const size_t b : current_)
                if (runs_[a].label == runs_[b].label && runs_[a].x0 - touch_ < runs_[b].x1 &&
                    runs_[b].x0 - touch_ < runs_[a].x1)
                    unite(find(a), find(b));
    }

    void unite(size_t a, size_t b) {
        if (a == b) return;
        if (b < a) std::swap(a, b);
        Run &keep = runs_[a], &gone = runs_[b];
        gone.parent = a;
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
    const int64_t max_area_, touch_;
    std::vector<Run> runs_;
    std::vector<size_t> previous_, current_;
};

}  // namespace

template <class Label>
void fill_holes(ImageView<Label> labels, int max_side, int64_t max_area, Connectivity background) {
    HoleFiller<Label>(labels, max_side, max_area, background).run();
}

template void fill_holes(ImageView<uint8_t>, int, int64_t, Connectivity);
template void fill_holes(ImageView<uint32_t>, int, int64_t, Connectivity);

}  // namespace wsi::separation
