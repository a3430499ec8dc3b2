#include "pipeline/train_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "io/html.h"
#include "io/picture.h"
#include "io/text_file.h"
#include "stages/overlay.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr int kWidthPx = 640, kHeightPx = 240, kMarginPx = 44;
constexpr size_t kEpochsShown = 16, kPointsShown = 600;

struct Point {
    double x = 0, y = 0;
};
struct Curve {
    const char *name, *colour;
    std::vector<Point> points;
};

/// At most kPointsShown points, each the mean of as many neighbours.
std::vector<Point> thinned(const std::vector<Point>& all) {
    const size_t share = std::max<size_t>(1, (all.size() + kPointsShown - 1) / kPointsShown);
    std::vector<Point> few;
    for (size_t i = 0; i < all.size(); i += share) {
        Point sum;
        const size_t end = std::min(all.size(), i + share);
        for (size_t k = i; k < end; ++k) sum.x += all[k].x, sum.y += all[k].y;
        const auto n = static_cast<double>(end - i);
        few.push_back({sum.x / n, sum.y / n});
    }
    return few;
}

std::string chart(const std::string& title, const char* unit, const std::vector<Curve>& curves) {
    double x_most = 1, y_most = 1e-9;
    for (const Curve& curve : curves)
        for (const Point& p : curve.points)
            x_most = std::max(x_most, p.x), y_most = std::max(y_most, p.y);
    const auto x = [&](double v) { return kMarginPx + v / x_most * (kWidthPx - kMarginPx - 8); };
    const auto y = [&](double v) {
        return kHeightPx - kMarginPx - v / y_most * (kHeightPx - kMarginPx - 12);
    };
    std::string out =
        fmt::format("<h2>{}</h2>\n<svg viewBox=\"0 0 {} {}\">\n", title, kWidthPx, kHeightPx);
    for (const double part : {0.0, 0.5, 1.0})
        out += fmt::format(
            "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>"
            "<text x=\"4\" y=\"{:.1f}\">{:.3g}</text><text x=\"{:.1f}\" y=\"{}\">{:.0f}</text>\n",
            kMarginPx, kWidthPx - 8, y(part * y_most), y(part * y_most), y(part * y_most) + 4,
            part * y_most, x(part * x_most) - 8, kHeightPx - kMarginPx + 16, part * x_most);
    double label_x = kMarginPx;
    for (const Curve& curve : curves) {
        std::string points;
        for (const Point& p : thinned(curve.points))
            points += fmt::format("{:.1f},{:.1f} ", x(p.x), y(p.y));
        out += fmt::format(
            "<polyline stroke=\"{}\" points=\"{}\"/><text x=\"{:.0f}\" y=\"{}\" "
            "fill=\"{}\">{}</text>\n",
            curve.colour, points, label_x, kHeightPx - 6, curve.colour, curve.name);
        label_x += 90;
    }
    return out + fmt::format("<text x=\"{}\" y=\"{}\">{}</text></svg>\n", kWidthPx - 60,
                             kHeightPx - 6, unit);
}

template <class Row>
Curve curve_of(const char* name, const char* colour, const std::vector<Row>& rows,
               const std::function<Point(const Row&)>& point) {
    Curve curve{name, colour, {}};
    for (const Row& row : rows) {
        const Point p = point(row);
        if (std::isfinite(p.y)) curve.points.push_back(p);
    }
    return curve;
}

Curve step_curve(const char* name, const char* colour, const TrainLog& log,
                 double StepLoss::*value) {
    return curve_of<StepRow>(name, colour, log.steps(), [value](const StepRow& row) {
        return Point{static_cast<double>(row.step), row.loss.*value};
    });
}

Curve epoch_curve(const char* name, const char* colour, const TrainLog& log,
                  double EpochRow::*value) {
    return curve_of<EpochRow>(name, colour, log.epochs(), [value](const EpochRow& row) {
        return Point{static_cast<double>(row.epoch), row.*value};
    });
}

/// First, last, best and evenly in between, so that the page stays small.
std::set<int64_t> epochs_to_show(const TrainLog& log, int64_t best_epoch) {
    std::set<int64_t> shown;
    const size_t n = log.epochs().size();
    if (n == 0) return shown;
    for (size_t k = 0; k < std::min(n, kEpochsShown); ++k)
        shown.insert(log.epochs()[k * (n - 1) / std::max<size_t>(1, kEpochsShown - 1)].epoch);
    shown.insert(log.epochs().back().epoch);
    shown.insert(best_epoch);
    return shown;
}

constexpr const char* kHead = R"(<!doctype html>
<meta charset="utf-8"><title>wsi-segment train</title>
<style>
body { font: 14px sans-serif; max-width: 1100px; margin: 24px auto; color: #222 }
svg { width: 640px; max-width: 100% } svg text { font-size: 11px }
polyline { fill: none; stroke-width: 1.5 } .grid { stroke: #ddd }
img { max-width: 100%; image-rendering: pixelated } td { padding: 2px 6px }
</style>
<h1>Training</h1>
)";

}  // namespace

TrainPage::TrainPage(std::string folder, std::string settings)
    : folder_(std::move(folder)), settings_(std::move(settings)) {}

std::string TrainPage::sample_file(int64_t epoch, int sample) const {
    return (fs::path(folder_) / "samples" / fmt::format("epoch-{:04}-{}.jpg", epoch, sample))
        .string();
}

void TrainPage::add_sample(int64_t epoch, int sample, const RgbImage& rgb, const LabelImage& truth,
                           const LabelImage& found) const {
    if (!can_read_and_write_pictures()) return;  // the page has curves alone
    fs::create_directories(fs::path(folder_) / "samples");
    constexpr int64_t kSide = 320;
    const int64_t w = std::min(kSide, rgb.width()), h = std::min(kSide, rgb.height());
    const PixelRect middle{(rgb.width() - w) / 2, (rgb.height() - h) / 2, w, h};
    RgbImage pair(2 * w, h);
    copy_pixels(rgb.view().crop(middle), pair.view().crop({0, 0, w, h}));
    const RgbImage overlay = error_overlay(rgb.view(), truth.view(), found.view());
    copy_pixels(std::as_const(overlay).view().crop(middle), pair.view().crop({w, 0, w, h}));
    write_jpeg_picture(sample_file(epoch, sample), pair.view());
}

void TrainPage::write(const TrainLog& log, int64_t best_epoch) const {
    TextFile page((fs::path(folder_) / "progress.html").string());
    page.write(kHead);
    page.write(chart("Loss of the training patches", "step",
                     {step_curve("total", "#222222", log, &StepLoss::total),
                      step_curve("dice", "#1b7f79", log, &StepLoss::dice),
                      step_curve("focal", "#c2571a", log, &StepLoss::focal),
                      step_curve("distance", "#5b4b9a", log, &StepLoss::distance)}));
    page.write(chart("Scores of the development images", "epoch",
                     {epoch_curve("Dice", "#1b7f79", log, &EpochRow::dice),
                      epoch_curve("PQ", "#c2571a", log, &EpochRow::pq),
                      epoch_curve("AJI", "#5b4b9a", log, &EpochRow::aji)}));
    page.write(fmt::format(
        "<p>Best: epoch {}.</p>\n<h2>Development images</h2>\n<p>Left the image, right what was "
        "found: turquoise hits (IoU &gt; 0.5), yellow missed, orange false.</p>\n<table>\n",
        best_epoch));
    for (const int64_t epoch : epochs_to_show(log, best_epoch)) {
        page.write(fmt::format("<tr><td>epoch {}{}</td>", epoch, epoch == best_epoch ? "*" : ""));
        for (int sample = 0; sample < kSamples; ++sample) {
            std::ifstream in(sample_file(epoch, sample), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(in)), {});
            if (!bytes.empty())
                page.write("<td><img src=\"data:image/jpeg;base64," +
                           base64({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}) +
                           "\"></td>");
        }
        page.write("</tr>\n");
    }
    page.write("</table>\n<h2>Settings</h2>\n<pre>" + escaped_html(settings_) + "</pre>\n");
    page.commit();
}

}  // namespace wsi
