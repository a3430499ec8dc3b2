#include <algorithm>
#include <numeric>

#include "stages/run_components.h"
#include "stages/separate_steps.h"

namespace wsi::separation {

namespace {

/// Boxes of components, at the index of their roots.
std::vector<PixelRect> boxes_of(const RunComponents& components) {
    struct Box {
        int32_t x0, y0, x1, y1;
    };
    const auto& runs = components.runs();
    std::vector<Box> boxes(runs.size(), {INT32_MAX, INT32_MAX, 0, 0});
    for (const RunComponents::Run& run : runs) {
        Box& box = boxes[run.root];
        box = {std::min(box.x0, run.x0), std::min(box.y0, run.y), std::max(box.x1, run.x1),
               std::max(box.y1, run.y + 1)};
    }
    std::vector<PixelRect> out;
    out.reserve(boxes.size());
    for (const Box& b : boxes) out.push_back({b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0});
    return out;
}

}  // namespace

std::vector<MarkerGroup> group_markers(ImageView<const Height> heights,
                                       const std::vector<Marker>& markers) {
    const RunComponents components(heights, NotZero{}, 1);
    const std::vector<PixelRect> boxes = boxes_of(components);
    std::vector<uint32_t> root(markers.size());
    for (size_t m = 0; m < markers.size(); ++m)
        root[m] = components.root_at(markers[m].x, markers[m].y);
    std::vector<uint32_t> ranks(markers.size());
    std::iota(ranks.begin(), ranks.end(), 0u);
    std::stable_sort(ranks.begin(), ranks.end(),
                     [&](uint32_t a, uint32_t b) { return root[a] < root[b]; });
    std::vector<MarkerGroup> groups;
    for (size_t i = 0; i < ranks.size(); ++i) {
        if (i == 0 || root[ranks[i]] != root[ranks[i - 1]])
            groups.push_back({boxes[root[ranks[i]]], {}});
        groups.back().ranks.push_back(ranks[i]);
    }
    return groups;
}

}  // namespace wsi::separation
