#pragma once

#include <cstdint>
#include <vector>

#include "io/types/image.h"
#include "tests/support/slide_factory.h"

namespace wsi::test {

/// An ellipse of known geometry; level-0 pixels, pixel centres at .5.
struct PlantedNucleus {
    double x = 0, y = 0;    ///< centre
    double a = 12, b = 12;  ///< half axes
    double angle = 0;       ///< of the first axis, radians
    double area() const;
};

/// Nuclei planted on a slide, findable by rectangle.
class PlantedNuclei {
public:
    explicit PlantedNuclei(std::vector<PlantedNucleus> nuclei);
    const std::vector<PlantedNucleus>& all() const { return nuclei_; }

    /// Exact maps for a rectangle of work pixels: coverage (255 = whole pixel inside) and a
    /// distance-like map (255 at a centre, 0 at the border; the higher one where two overlap).
    void paint_maps(const PixelRect& rect_work, double downsample, GrayView probability,
                    GrayView distance) const;

    /// Haematoxylin nuclei on an eosin ground with mild texture, by Beer and Lambert.
    PixelSource stained() const;

private:
    /// Nuclei whose box may touch a level-0 rectangle.
    std::vector<const PlantedNucleus*> near(double x0, double y0, double x1, double y1) const;
    std::vector<PlantedNucleus> nuclei_;
    double most_radius_ = 0;
    int64_t columns_ = 1;
    std::vector<std::vector<uint32_t>> bins_;
};

/// Ellipses on a jittered grid: never touching, radii about `radius` (±30 %), every cell of `pitch`
/// one.
std::vector<PlantedNucleus> plant_grid(PixelSize slide, double pitch, double radius, uint64_t seed);

/// One colour everywhere: tissue without nuclei.
PixelSource plain_tissue();

}  // namespace wsi::test
