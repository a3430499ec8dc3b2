#include "tests/networks/planted_set.h"

#include <cmath>
#include <fstream>

#include "io/picture.h"
#include "tests/pipeline/run_harness.h"

namespace wsi::test {

namespace {

bool covers(const PlantedNucleus& n, double x, double y) {
    const double c = std::cos(n.angle), s = std::sin(n.angle), dx = x - n.x, dy = y - n.y;
    const double u = (c * dx + s * dy) / n.a, v = (c * dy - s * dx) / n.b;
    return u * u + v * v <= 1;
}

void write_pictures(const std::filesystem::path& folder, int images, int side) {
    std::filesystem::create_directories(folder / "images");
    std::filesystem::create_directories(folder / "labels");
    std::ofstream manifest(folder / "manifest.csv");
    manifest << "stem,split,organ,mpp\n";
    for (int i = 0; i < images; ++i) {
        const PlantedNuclei nuclei(plant_grid({side, side}, 24, 8, static_cast<uint64_t>(i) + 1));
        RgbImage rgb(side, side);
        nuclei.stained()({0, 0, side, side}, rgb.view());
        Image<uint32_t> labels(side, side, 0);
        uint32_t id = 0;
        for (const PlantedNucleus& nucleus : nuclei.all()) {
            ++id;
            for (int y = 0; y < side; ++y)
                for (int x = 0; x < side; ++x)
                    if (covers(nucleus, x + 0.5, y + 0.5)) labels(x, y) = id;
        }
        const std::string stem = "p" + std::to_string(i);
        write_rgb_picture((folder / "images" / (stem + ".png")).string(), rgb.view());
        write_label_picture((folder / "labels" / (stem + ".png")).string(), labels.view());
        manifest << stem << ",train," << (i + 2 < images ? "liver" : "skin") << ",0.5\n";
    }
}

}  // namespace

void write_planted_set(const std::filesystem::path& folder, int images, int side) {
    // In a child: libvips' threads, once started here, would be missing in later children.
    const ChildEnd end = run_in_child([&] { write_pictures(folder, images, side); });
    WSI_CHECK(end.exit_code == 0, end.message);
}

}  // namespace wsi::test
