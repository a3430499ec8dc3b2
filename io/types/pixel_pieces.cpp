#include "io/types/pixel_pieces.h"

#include <algorithm>
#include <numeric>

namespace wsi {

std::vector<std::vector<PixelRun>> pieces_of(std::span<const PixelRun> runs) {
    std::vector<size_t> root(runs.size());
    std::iota(root.begin(), root.end(), size_t{0});
    const auto find = [&root](size_t r) {
        while (root[r] != r) r = root[r] = root[root[r]];
        return r;
    };
    size_t above = 0;  // first run of the row before that could touch
    for (size_t i = 0; i < runs.size(); ++i) {
        while (above < i && (runs[above].y + 1 < runs[i].y ||
                             (runs[above].y + 1 == runs[i].y && runs[above].x1 <= runs[i].x0)))
            ++above;
        for (size_t a = above; a < i && runs[a].y < runs[i].y && runs[a].x0 < runs[i].x1; ++a) {
            const size_t p = find(a), q = find(i);
            root[std::max(p, q)] = std::min(p, q);
        }
    }
    std::vector<std::vector<PixelRun>> pieces;
    std::vector<size_t> piece(runs.size());
    for (size_t i = 0; i < runs.size(); ++i) {
        const size_t r = find(i);
        if (r == i) {
            piece[i] = pieces.size();
            pieces.emplace_back();
        }
        pieces[piece[r]].push_back(runs[i]);
    }
    return pieces;
}

}  // namespace wsi
