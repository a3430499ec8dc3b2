#include "stages/tissue.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "stages/ink.h"

namespace wsi {

bool TissueMask::contains(double x_work, double y_work) const {
    if (x_work < 0 || y_work < 0) return false;
    const auto x = static_cast<int64_t>(x_work / cell_work_px);
    const auto y = static_cast<int64_t>(y_work / cell_work_px);
    return x < cells.width() && y < cells.height() && cells(x, y) != 0;
}

bool TissueMask::intersects(const PixelRect& rect) const {
    if (rect.right() <= 0 || rect.bottom() <= 0) return false;
    const auto cell = [this](int64_t work) {
        return static_cast<int64_t>(static_cast<double>(std::max<int64_t>(0, work)) / cell_work_px);
    };
    const int64_t x1 = std::min(cells.width() - 1, cell(rect.right() - 1));
    const int64_t y1 = std::min(cells.height() - 1, cell(rect.bottom() - 1));
    for (int64_t y = cell(rect.y); y <= y1; ++y)
        for (int64_t x = cell(rect.x); x <= x1; ++x)
            if (cells(x, y) != 0) return true;
    return false;
}

double TissueMask::area_mm2() const {
    const int64_t set = std::count_if(cells.data(), cells.data() + cells.size().area(),
                                      [](uint8_t c) { return c != 0; });
    return static_cast<double>(set) * mpp * mpp * 1e-6;
}

namespace {

struct Density {
    float mean, chroma;  // of the three channels' optical densities; largest minus smallest
};

/// Colour of empty glass: per channel the mode of the bright, colourless pixels, so that a grey or
/// yellowish lamp does not count as tissue; 243 when less than one pixel in a hundred can be glass.
std::array<int, 3> glass_level(ConstRgbView image) {
    constexpr int kDarkestGlass = 205, kMostColour = 18;
    std::array<std::array<int64_t, 256>, 3> histogram{};
    int64_t bright = 0;
    for (int64_t y = 0; y < image.height; ++y)
        for (int64_t x = 0; x < image.width; ++x) {
            const uint8_t* p = image.at(x, y);
            const auto [least, most] = std::minmax({p[0], p[1], p[2]});
            if (least < kDarkestGlass || most - least > kMostColour) continue;
            ++bright;
            for (size_t c = 0; c < 3; ++c) ++histogram[c][p[c]];
        }
    if (bright * 100 < image.width * image.height) return {243, 243, 243};
    std::array<int, 3> level{};
    for (size_t c = 0; c < 3; ++c)
        level[c] = static_cast<int>(std::max_element(histogram[c].begin(), histogram[c].end()) -
                                    histogram[c].begin());
    return level;
}

/// Otsu's threshold on the densities (bins of 0.005 up to 1.28), kept where real tissue can begin.
float density_threshold(const std::vector<float>& densities) {
    constexpr int kBins = 256;
    std::array<double, kBins> histogram{};
    for (const float d : densities)
        ++histogram[static_cast<size_t>(std::clamp(static_cast<int>(d * 200), 0, kBins - 1))];
    double total = 0, total_sum = 0;
    for (int i = 0; i < kBins; ++i) {
        total += histogram[static_cast<size_t>(i)];
        total_sum += i * histogram[static_cast<size_t>(i)];
    }
    double below = 0, below_sum = 0, best = -1;
    int threshold = 0;
    for (int i = 0; i < kBins - 1; ++i) {
        below += histogram[static_cast<size_t>(i)];
        below_sum += i * histogram[static_cast<size_t>(i)];
        if (below == 0 || below == total) continue;
        const double gap = below_sum / below - (total_sum - below_sum) / (total - below);
        const double between = below * (total - below) * gap * gap;
        if (between > best) {
            best = between;
            threshold = i + 1;
        }
    }
    return std::clamp(static_cast<float>(threshold) / 200, 0.025f, 0.045f);
}

void grow(cv::Mat& mask, double radius_px) {
    const int r = static_cast<int>(std::lround(radius_px));
    if (r <= 0) return;
    cv::dilate(mask, mask,
               cv::getStructuringElement(cv::MORPH_ELLIPSE, cv::Size(2 * r + 1, 2 * r + 1)));
}

/// Drops pieces that are too small, or without colour (dust, cover-slip edges, scratches).
void keep_tissue_pieces(cv::Mat& mask, const cv::Mat& chroma, double min_area_px) {
    cv::Mat labels, stats, centroids;
    const int count = cv::connectedComponentsWithStats(mask, labels, stats, centroids, 8);
    std::vector<double> colour(static_cast<size_t>(count), 0);
    for (int y = 0; y < mask.rows; ++y)
        for (int x = 0; x < mask.cols; ++x)
            colour[static_cast<size_t>(labels.at<int>(y, x))] +=
                static_cast<double>(chroma.at<float>(y, x));
    constexpr double kLeastChroma = 0.03;
    for (int y = 0; y < mask.rows; ++y)
        for (int x = 0; x < mask.cols; ++x) {
            const int label = labels.at<int>(y, x);
            if (label == 0) continue;
            const double area = stats.at<int>(label, cv::CC_STAT_AREA);
            if (area < min_area_px || colour[static_cast<size_t>(label)] / area < kLeastChroma)
                mask.at<uint8_t>(y, x) = 0;
        }
}

void fill_small_holes(cv::Mat& mask, double max_area_px) {
    cv::Mat labels, stats, centroids;
    cv::connectedComponentsWithStats(1 - mask, labels, stats, centroids, 4);
    for (int y = 0; y < mask.rows; ++y)
        for (int x = 0; x < mask.cols; ++x) {
            const int label = labels.at<int>(y, x);
            if (label != 0 && stats.at<int>(label, cv::CC_STAT_AREA) <= max_area_px)
                mask.at<uint8_t>(y, x) = 1;
        }
}

/// Up to here an image is a field of view that someone chose, not a slide. Where it holds tissue,
/// its empty parts are lumina and fat, whose few nuclei are too small to be seen in the overview.
constexpr double kLargestFieldUm2 = 1e6;

}  // namespace

GrayImage find_tissue(ConstRgbView image, double mpp, const TissueConfig& config) {
    const std::array<int, 3> glass = glass_level(image);
    const int width = static_cast<int>(image.width), height = static_cast<int>(image.height);
    cv::Mat mean(height, width, CV_32F), chroma(height, width, CV_32F);
    cv::Mat ink(height, width, CV_8U, cv::Scalar(0));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const uint8_t* p = image.at(x, y);
            float od[3];
            for (size_t c = 0; c < 3; ++c)
                od[c] = std::max(0.0f, std::log(static_cast<float>(glass[c] + 1) /
                                                static_cast<float>(p[c] + 1)));
            const Density d{(od[0] + od[1] + od[2]) / 3,
                            std::max({od[0], od[1], od[2]}) - std::min({od[0], od[1], od[2]})};
            mean.at<float>(y, x) = d.mean;
            chroma.at<float>(y, x) = d.chroma;
            ink.at<uint8_t>(y, x) = is_ink(p) ? 1 : 0;
        }
    grow(ink, 1.5 * config.margin_um / mpp);  // ink fades out at its border
    cv::Mat smooth;
    cv::GaussianBlur(mean, smooth, cv::Size(0, 0), 1.2, 1.2, cv::BORDER_REPLICATE);
    std::vector<float> densities;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            if (ink.at<uint8_t>(y, x) == 0) densities.push_back(smooth.at<float>(y, x));
    const float threshold = density_threshold(densities);
    cv::Mat mask(height, width, CV_8U);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            mask.at<uint8_t>(y, x) =
                ink.at<uint8_t>(y, x) == 0 && smooth.at<float>(y, x) >= threshold ? 1 : 0;
    const double image_um2 = static_cast<double>(width) * height * mpp * mpp;
    // On a slide a small piece is dirt; on one field of view of fat it may be all that there is.
    constexpr double kLeastShare = 0.01;
    keep_tissue_pieces(mask, chroma,
                       std::min(config.min_area_um2, kLeastShare * image_um2) / (mpp * mpp));
    if (image_um2 <= kLargestFieldUm2 && cv::countNonZero(mask) != 0) mask.setTo(1);
    fill_small_holes(mask, config.min_area_um2 / (mpp * mpp));
    grow(mask, config.margin_um / mpp);
    mask.setTo(0, ink);
    GrayImage out(image.width, image.height);
    for (int y = 0; y < height; ++y) std::copy_n(mask.ptr<uint8_t>(y), width, out.view().row(y));
    return out;
}

}  // namespace wsi
