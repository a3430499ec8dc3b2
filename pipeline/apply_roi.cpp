#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "io/roi.h"
#include "io/sha.h"
#include "pipeline/slide_fit.h"

namespace wsi {

std::string roi_hash(const RoiOptions& roi) {
    std::string hash;
    if (!roi.mask_png.empty()) hash += "mask " + sha256_of_file(roi.mask_png);
    if (!roi.roi_geojson.empty())
        hash += " roi " + sha256_of_file(roi.roi_geojson) + " " +
                std::to_string(roi.geojson_origin.x) + "," + std::to_string(roi.geojson_origin.y);
    return hash.empty() ? "none" : hash;
}

namespace {
/// How far the mask's shape may be from the slide's, apart from a pixel of rounding.
constexpr double kShapeTolerance = 0.01;

bool same_shape(PixelSize mask, PixelSize slide) {
    const auto expected = static_cast<double>(mask.width) * static_cast<double>(slide.height) /
                          static_cast<double>(slide.width);
    const auto height = static_cast<double>(mask.height);
    const double pixel =  // of the mask, in rows, when it is rounded across
        std::max(1.0, static_cast<double>(slide.height) / static_cast<double>(slide.width));
    return std::abs(height - expected) <= std::max(pixel, kShapeTolerance * expected);
}
}  // namespace

GrayImage read_mask(const RoiOptions& roi, const SlideInfo& slide) {
    if (roi.mask_png.empty()) return {};
    std::error_code unreachable;
    if (!std::filesystem::exists(roi.mask_png, unreachable))
        fail(ErrorKind::Config, "the mask ", roi.mask_png, ": no such file");
    GrayImage mask = read_mask_image(roi.mask_png);
    const PixelSize size = slide.size();
    if (!same_shape(mask.size(), size))
        fail(ErrorKind::Config,
             fmt::format("the mask {} of {} x {} pixels has another shape than {} of {} x {}: it "
                         "is stretched over the whole slide and must have its ratio of sides, "
                         "within 1 %; is it of another slide, or of a part of this one?",
                         roi.mask_png, mask.width(), mask.height(), slide.path, size.width,
                         size.height));
    const uint8_t* pixels = mask.data();
    const uint8_t* end = pixels + mask.size().area();
    if (std::find(pixels, end, 1) == end)
        fail(ErrorKind::Config, "the mask ", roi.mask_png, " selects nothing of ", slide.path,
             ": no pixel is brighter than 127 of 255; paint what is to be looked at white");
    return mask;
}

void apply_roi(const RoiOptions& roi, const GrayImage mask, const WorkFrame& frame,
               TissueMask& tissue) {
    GrayImage& cells = tissue.cells;
    if (!roi.mask_png.empty())
        for (int64_t y = 0; y < cells.height(); ++y)
            for (int64_t x = 0; x < cells.width(); ++x)
                cells(x, y) = mask((2 * x + 1) * mask.width() / (2 * cells.width()),
                                   (2 * y + 1) * mask.height() / (2 * cells.height()));
    if (!roi.roi_geojson.empty()) {
        const auto polygons = read_roi_geojson(roi.roi_geojson, roi.geojson_origin);
        const GrayImage inside =
            rasterise_roi(polygons, cells.size(), tissue.cell_work_px * frame.downsample);
        // Inside the drawn area the user decides what is looked at, not the tissue detector.
        cells = inside;
    }
}

}  // namespace wsi
