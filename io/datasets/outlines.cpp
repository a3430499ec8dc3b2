#include "io/datasets/outlines.h"

#include <algorithm>
#include <cmath>

namespace wsi {

namespace {

constexpr int64_t kScale = 5;
constexpr int64_t kShift = (kScale - 1) / 2;

struct GridPoint {
    int64_t x = 0, y = 0;
};

/// Points of the line on the fine grid, as MATLAB's intline: one per step of the longer axis, drawn
/// from the smaller coordinate so that both directions give the same.
void append_line(GridPoint a, GridPoint b, std::vector<GridPoint>& out) {
    const int64_t dx = std::abs(b.x - a.x), dy = std::abs(b.y - a.y);
    if (dx == 0 && dy == 0) {
        out.push_back(a);
        return;
    }
    const bool along_x = dx >= dy;
    const bool flip = along_x ? a.x > b.x : a.y > b.y;
    if (flip) std::swap(a, b);
    const size_t first = out.size();
    const double slope = along_x ? static_cast<double>(b.y - a.y) / static_cast<double>(b.x - a.x)
                                 : static_cast<double>(b.x - a.x) / static_cast<double>(b.y - a.y);
    for (int64_t i = 0; i <= std::max(dx, dy); ++i) {
        const double across = slope * static_cast<double>(i);
        if (along_x)
            out.push_back({a.x + i, std::llround(static_cast<double>(a.y) + across)});
        else
            out.push_back({std::llround(static_cast<double>(a.x) + across), a.y + i});
    }
    if (flip) std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
}

/// Far beyond any image of a data set; a damaged coordinate must not cost a line to the moon.
constexpr double kFarthest = 1e5;

std::vector<GridPoint> fine_outline(const Outline& outline) {
    for (const OutlinePoint& p : outline)
        if (!(std::abs(p.x) < kFarthest && std::abs(p.y) < kFarthest))
            fail(ErrorKind::Config, "an outline has a point at ", p.x, ", ", p.y);
    const auto fine = [](const OutlinePoint& p) {
        return GridPoint{std::llround(kScale * (p.x - 0.5) + 1),
                         std::llround(kScale * (p.y - 0.5) + 1)};
    };
    std::vector<GridPoint> points;
    for (size_t i = 0; i < outline.size(); ++i)
        append_line(fine(outline[i]), fine(outline[(i + 1) % outline.size()]), points);
    return points;
}

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

}  // namespace

void fill_outline(const Outline& outline, uint32_t id, ImageView<uint32_t> labels) {
    if (outline.empty() || labels.empty()) return;
    const std::vector<GridPoint> points = fine_outline(outline);
    // Per column, the rows at which inside and outside change.
    std::vector<std::vector<int64_t>> crossings(static_cast<size_t>(labels.width));
    for (size_t i = 0; i + 1 < points.size(); ++i) {
        const int64_t step = points[i + 1].x - points[i].x;
        if (step == 0) continue;
        const int64_t x = points[i].x - (step < 0) + kShift;
        if (floor_div(x, kScale) * kScale != x) continue;  // not on a column of pixel centres
        const int64_t column = x / kScale;                 // from 1
        if (x < kScale || column > labels.width) continue;
        const int64_t y = std::min(points[i].y, points[i + 1].y) + kShift;
        const int64_t row = std::max<int64_t>(1, -floor_div(-y, kScale));
        if (row <= labels.height) crossings[static_cast<size_t>(column - 1)].push_back(row - 1);
    }
    for (int64_t x = 0; x < labels.width; ++x) {
        auto& rows = crossings[static_cast<size_t>(x)];
        std::sort(rows.begin(), rows.end());
        for (size_t i = 0; i < rows.size(); i += 2) {
            const int64_t end = i + 1 < rows.size() ? rows[i + 1] : labels.height;
            for (int64_t y = rows[i]; y < end; ++y) labels(x, y) = id;
        }
    }
}

}  // namespace wsi
