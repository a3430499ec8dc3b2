#include <algorithm>

#include "stages/run_components.h"
#include "stages/separate_steps.h"

namespace wsi::separation {

void keep_marker_pieces(const std::vector<Marker>& markers, int min_area,
                        ImageView<uint32_t> labels) {
    const RunComponents pieces(ImageView<const uint32_t>(labels), SameValue{}, 0);
    std::vector<int64_t> area(pieces.runs().size(), 0);
    for (const RunComponents::Run& run : pieces.runs()) area[run.root] += run.x1 - run.x0;
    std::vector<uint8_t> keep(pieces.runs().size(), 0);
    for (const Marker& marker : markers) {
        const uint32_t root = pieces.root_at(marker.x, marker.y);
        keep[root] = area[root] >= min_area;
    }
    for (const RunComponents::Run& run : pieces.runs())
        if (!keep[run.root]) std::fill(labels.at(run.x0, run.y), labels.at(run.x1, run.y), 0u);
}

}  // namespace wsi::separation
