#include "stages/nucleus_class.h"

namespace wsi {

namespace {
int64_t sum_over(std::span<const PixelRun> runs, ConstGrayView map, const PixelPoint& origin) {
    int64_t sum = 0;
    for (const PixelRun& run : runs) {
        const uint8_t* row = map.row(run.y - origin.y) - origin.x;
        for (int64_t x = run.x0; x < run.x1; ++x) sum += row[x];
    }
    return sum;
}
}  // namespace

ClassVote vote_class(std::span<const PixelRun> runs, std::span<const ConstGrayView> class_maps,
                     PixelPoint origin) {
    WSI_CHECK(!class_maps.empty());
    ClassVote vote;
    int64_t most = -1, all = 0;
    for (size_t c = 0; c < class_maps.size(); ++c) {
        const int64_t sum = sum_over(runs, class_maps[c], origin);
        all += sum;
        if (sum <= most) continue;
        most = sum;
        vote.index = c;
    }
    if (all > 0)
        vote.probability = static_cast<float>(static_cast<double>(most) / static_cast<double>(all));
    return vote;
}

}  // namespace wsi
