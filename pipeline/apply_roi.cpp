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

void apply_roi(const RoiOptions& roi, const WorkFrame& frame, TissueMask& tissue) {
    GrayImage& cells = tissue.cells;
    if (!roi.mask_png.empty()) {
        const GrayImage mask = read_mask_image(roi.mask_png);
        for (int64_t y = 0; y < cells.height(); ++y)
            for (int64_t x = 0; x < cells.width(); ++x)
                cells(x, y) = mask((2 * x + 1) * mask.width() / (2 * cells.width()),
                                   (2 * y + 1) * mask.height() / (2 * cells.height()));
    }
    if (!roi.roi_geojson.empty()) {
        const auto polygons = read_roi_geojson(roi.roi_geojson, roi.geojson_origin);
        const GrayImage inside =
            rasterise_roi(polygons, cells.size(), tissue.cell_work_px * frame.downsample);
        // Inside the drawn area the user decides what is looked at, not the tissue detector.
        cells = inside;
    }
}

}  // namespace wsi
