#include "io/datasets/components.h"

namespace wsi {

Image<uint32_t> connected_components(const Image<uint32_t>& mask) {
    const int64_t width = mask.width(), height = mask.height();
    Image<uint32_t> labels(width, height, 0);
    std::vector<PixelPoint> open;
    uint32_t id = 0;
    const auto reach = [&](int64_t x, int64_t y) {
        if (x < 0 || y < 0 || x >= width || y >= height || mask(x, y) == 0 || labels(x, y) != 0)
            return;
        labels(x, y) = id;
        open.push_back({x, y});
    };
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) {
            if (mask(x, y) == 0 || labels(x, y) != 0) continue;
            ++id;
            reach(x, y);
            while (!open.empty()) {
                const PixelPoint p = open.back();
                open.pop_back();
                for (int64_t dy = -1; dy <= 1; ++dy)
                    for (int64_t dx = -1; dx <= 1; ++dx) reach(p.x + dx, p.y + dy);
            }
        }
    return labels;
}

}  // namespace wsi
