#include "tests/support/fake_segmenter.h"

namespace wsi::test {

namespace {
int64_t lattice(int64_t x, int64_t y) {
    uint64_t h = static_cast<uint64_t>(x) * 0x9E3779B97F4A7C15u +
                 static_cast<uint64_t>(y) * 0xD1B54A32D192ED03u;
    h ^= h >> 31;
    h *= 0x94D049BB133111EBu;
    return static_cast<int64_t>(h >> 56);
}

/// Bilinear value noise in integers, period `cell`.
int64_t noise(int64_t x, int64_t y, int64_t cell) {
    const int64_t cx = (x + (1 << 20)) / cell, cy = (y + (1 << 20)) / cell;
    const int64_t fx = (x + (1 << 20)) % cell, fy = (y + (1 << 20)) % cell;
    const int64_t top = lattice(cx, cy) * (cell - fx) + lattice(cx + 1, cy) * fx;
    const int64_t bottom = lattice(cx, cy + 1) * (cell - fx) + lattice(cx + 1, cy + 1) * fx;
    return (top * (cell - fy) + bottom * fy) / (cell * cell);
}
}  // namespace

InputSpec fake_spec(int core_px, int halo_px, int feather_px) {
    InputSpec spec;
    spec.name = spec.hash = "fake";
    spec.core_px = core_px;
    spec.halo_px = halo_px;
    spec.feather_px = feather_px;
    return spec;
}

std::function<std::unique_ptr<Segmenter>()> finds(const PlantedNuclei& planted, InputSpec spec) {
    return [&planted, spec] {
        return std::make_unique<FakeSegmenter>(
            spec, [&planted](const PixelRect& rect, GrayView p, GrayView d) {
                planted.paint_maps(rect, 2, p, d);
            });
    };
}

MapPainter percolating_maps() {
    return [](const PixelRect& rect, GrayView probability, GrayView distance) {
        for (int64_t y = 0; y < rect.height; ++y)
            for (int64_t x = 0; x < rect.width; ++x) {
                const int64_t gx = rect.x + x, gy = rect.y + y;
                const bool hole = noise(gx, gy, 13) > 190;
                probability(x, y) = hole ? 20 : 230;
                distance(x, y) =
                    static_cast<uint8_t>((noise(gx, gy, 17) * 3 + noise(gx, gy, 5)) / 4);
            }
    };
}

}  // namespace wsi::test
