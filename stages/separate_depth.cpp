#include <algorithm>
#include <cmath>
#include <vector>

#include "stages/separate_steps.h"

// Two passes in integers: down and up the columns, then along the rows the least sum of squares.
// Distances beyond the reach are cut, so that a value depends on nothing farther away.
namespace wsi::separation {

namespace {

/// Rows to the nearest pixel outside the mask in the same column, at most reach; into `out`.
void column_distances(ConstGrayView mask, int reach, GrayView out) {
    const auto far = static_cast<uint8_t>(reach);
    const auto step = [&](int64_t y, const uint8_t* before) {
        const uint8_t* in = mask.row(y);
        uint8_t* to = out.row(y);
        for (int64_t x = 0; x < mask.width; ++x) {
            const int next = before != nullptr ? before[x] + 1 : reach;
            to[x] =
                in[x] == 0 ? uint8_t{0} : static_cast<uint8_t>(std::min<int>({to[x], next, reach}));
        }
    };
    for (int64_t y = 0; y < mask.height; ++y) {
        std::fill_n(out.row(y), out.width, far);
        step(y, y > 0 ? out.row(y - 1) : nullptr);
    }
    for (int64_t y = mask.height - 1; y-- > 0;) step(y, out.row(y + 1));
}

/// Depth in 255ths of the reach by squared distance, 0..reach².
std::vector<uint8_t> depth_table(int reach) {
    std::vector<uint8_t> table(static_cast<size_t>(reach * reach + 1));
    for (size_t squared = 0; squared < table.size(); ++squared)
        table[squared] = static_cast<uint8_t>(
            std::lround(255 * std::sqrt(static_cast<double>(squared)) / reach));
    return table;
}

}  // namespace

void mask_depth(ConstGrayView mask, int reach, GrayView out) {
    WSI_CHECK(reach >= 2 && reach <= 255 && out.size() == mask.size());
    column_distances(mask, reach, out);
    const std::vector<uint8_t> table = depth_table(reach);
    const int32_t most = reach * reach;
    // Squares of a row's column distances, with `reach` cells of no information on both sides.
    std::vector<int32_t> squares(static_cast<size_t>(mask.width + 2 * reach), most);
    std::vector<int32_t> least(static_cast<size_t>(mask.width));
    for (int64_t y = 0; y < mask.height; ++y) {
        uint8_t* row = out.row(y);
        for (int64_t x = 0; x < mask.width; ++x)
            squares[static_cast<size_t>(x + reach)] = int32_t{row[x]} * row[x];
        std::fill(least.begin(), least.end(), most);
        for (int32_t dx = -reach; dx <= reach; ++dx) {
            const int32_t* from = squares.data() + reach + dx;
            for (size_t x = 0; x < least.size(); ++x)
                least[x] = std::min(least[x], from[x] + dx * dx);
        }
        for (int64_t x = 0; x < mask.width; ++x)
            row[x] = table[static_cast<size_t>(least[static_cast<size_t>(x)])];
    }
}

}  // namespace wsi::separation
