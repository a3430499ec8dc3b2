#include "io/overview.h"

#include <algorithm>
#include <cmath>

namespace wsi {

namespace {
constexpr double kNucleusUm2 = 40;  ///< a usual nucleus; only a shade depends on it
constexpr double kTissue[3] = {243, 222, 233}, kNuclei[3] = {92, 62, 140};
}  // namespace

Overview::Overview(const ResultHeader& header, int64_t most_px) : header_(header) {
    const PixelSize cells = header.tissue.size();
    cells_ = std::max<int64_t>(1, ceil_div(std::max(cells.width, cells.height), most_px));
    side_px_ = header.tissue_cell_work_px * header.frame.downsample * static_cast<double>(cells_);
    counts_ = Image<uint32_t>(std::max<int64_t>(1, ceil_div(cells.width, cells_)),
                              std::max<int64_t>(1, ceil_div(cells.height, cells_)), 0);
}

void Overview::add(const NucleusIdentity& nucleus) {
    const auto place = [&](double px, int64_t end) {
        return std::clamp<int64_t>(static_cast<int64_t>(px / side_px_), 0, end - 1);
    };
    ++counts_(place(nucleus.centroid_x_px, counts_.width()),
              place(nucleus.centroid_y_px, counts_.height()));
}

RgbImage Overview::image() const {
    RgbImage out(counts_.width(), counts_.height(), 255);
    const double area_um2 = side_px_ * side_px_ * header_.slide.mpp_x * header_.slide.mpp_y;
    for (int64_t y = 0; y < out.height(); ++y)
        for (int64_t x = 0; x < out.width(); ++x) {
            const bool tissue = header_.tissue.size().area() > 0 &&
                                header_.tissue(std::min(x * cells_, header_.tissue.width() - 1),
                                               std::min(y * cells_, header_.tissue.height() - 1));
            const double covered = std::min(1.0, counts_(x, y) * kNucleusUm2 / area_um2);
            for (int k = 0; k < 3; ++k) {
                const double ground = tissue ? kTissue[k] : 255;
                out(x, y, k) =
                    static_cast<uint8_t>(std::lround(ground + covered * (kNuclei[k] - ground)));
            }
        }
    return out;
}

}  // namespace wsi
