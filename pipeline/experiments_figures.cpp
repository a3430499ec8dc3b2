#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "io/html.h"
#include "io/text_file.h"
#include "pipeline/experiments_statistics.h"
#include "stages/principal_axes.h"

namespace wsi {

namespace {

constexpr double kHeight = 260, kTop = 30, kLeft = 50, kStep = 110;
/// Told apart also by the colour-blind (Okabe and Ito).
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#8c6d00"};

const char* colour(size_t i) { return kColours[i % std::size(kColours)]; }

/// A picture with an axis from 0 to 1 on its left and a place for each of `places` things.
class Chart {
public:
    Chart(const std::string& title, size_t places) : width_(2 * kLeft + kStep * double(places)) {
        text(kLeft, 16, title, "start");
        for (int tenth = 0; tenth <= 10; tenth += 2) {
            const double at = y(tenth / 10.0);
            line(kLeft, at, width_ - kLeft, at, "#ddd");
            text(kLeft - 6, at + 4, fmt::format("{:.1f}", tenth / 10.0), "end");
        }
    }
    static double x(size_t place) { return kLeft + kStep * (double(place) + 0.5); }
    static double y(double value) { return kTop + (1 - value) * kHeight; }
    void line(double x0, double y0, double x1, double y1, const char* ink) {
        body_ += fmt::format(
            "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x0,
            y0, x1, y1, ink);
    }
    void text(double x, double y, const std::string& what, const char* anchor) {
        body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y,
                             anchor, escaped_html(what));
    }
    void bar(double x, double width, double value, const char* ink) {
        body_ += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", x,
            y(value), width, y(0) - y(value), ink);
    }
    void polygon(const std::string& points, const char* ink) {
        body_ +=
            fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.5\"/>\n", points, ink);
    }
    void dot(double x, double y, const char* ink) {
        body_ +=
            fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x, y, ink);
    }
    /// Names below the places.
    void name(size_t place, const std::string& what) {
        text(x(place), kTop + kHeight + 18, what, "middle");
    }
    void write(const std::filesystem::path& path) const {
        TextFile file(path.string());
        file.write(fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
            "width=\"{0:.0f}\" height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
            width_, kTop + kHeight + 30));
        file.write(body_ + "</svg>\n");
        file.commit();
    }

private:
    const double width_;
    std::string body_;
};

/// Standard deviation; 0 of one value.
double spread(const MeanSd& of) { return of.n > 1 ? of.sd : 0; }

/// Every image of every run.
std::vector<double> of_images(const ExperimentResult& row, const std::string& metric) {
    std::vector<double> values;
    for (const auto& [run, images] : row.runs)
        for (const auto& [image, scores] : images)
            if (!std::isnan(scores.at(metric))) values.push_back(scores.at(metric));
    std::ranges::sort(values);
    return values;
}

/// Mean and standard deviation over runs of three scores, row by row.
void draw_bars(const std::filesystem::path& path, const std::string& title,
               const std::vector<ExperimentResult>& rows) {
    constexpr const char* kShown[] = {"dice_fg", "pq", "aji"};
    constexpr double kWidth = 26;
    Chart chart(title + ": dice_fg, pq, aji; mean ± sd over runs", rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        chart.name(i, rows[i].name);
        for (size_t k = 0; k < std::size(kShown); ++k) {
            const MeanSd runs = mean_sd(run_means(rows[i], kShown[k]));
            if (runs.n == 0) continue;
            const double x = Chart::x(i) + (double(k) - 1.5) * (kWidth + 2), mean = runs.mean,
                         sd = spread(runs);
            chart.bar(x, kWidth, mean, colour(k));
            chart.line(x + kWidth / 2, Chart::y(std::min(1.0, mean + sd)), x + kWidth / 2,
                       Chart::y(std::max(0.0, mean - sd)), "black");
        }
    }
    chart.write(path);
}

/// The density of the images' dice_fg, a Gaussian kernel by Silverman's rule, and its median.
void draw_violins(const std::filesystem::path& path, const std::string& title,
                  const std::vector<ExperimentResult>& rows) {
    constexpr int kPoints = 60;
    constexpr double kHalf = 45;
    Chart chart(title + ": dice_fg of images; line: median", rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        chart.name(i, rows[i].name);
        const std::vector<double> values = of_images(rows[i], "dice_fg");
        if (values.empty()) continue;
        const double width =
            std::max(0.01, 1.06 * spread(mean_sd(values)) * std::pow(double(values.size()), -0.2));
        std::vector<double> density(kPoints + 1);
        for (int p = 0; p <= kPoints; ++p)
            for (const double v : values) {
                const double u = (double(p) / kPoints - v) / width;
                density[static_cast<size_t>(p)] += std::exp(-0.5 * u * u);
            }
        const double most = std::ranges::max(density);
        std::string left, right;
        for (int p = 0; p <= kPoints; ++p) {
            const double half = kHalf * density[static_cast<size_t>(p)] / most,
                         y = Chart::y(double(p) / kPoints);
            left += fmt::format("{:.1f},{:.1f} ", Chart::x(i) - half, y);
            right = fmt::format("{:.1f},{:.1f} ", Chart::x(i) + half, y) + right;
        }
        chart.polygon(left + right, colour(i));
        const double median = Chart::y(values[values.size() / 2]);
        chart.line(Chart::x(i) - kHalf / 2, median, Chart::x(i) + kHalf / 2, median, "black");
    }
    chart.write(path);
}

/// Encodings of images on their two principal axes, scaled to the picture; colours by organ.
void draw_encodings(const std::filesystem::path& path, const std::string& title,
                    const std::vector<ImageEncoding>& encodings) {
    std::vector<std::vector<float>> values;
    for (const ImageEncoding& e : encodings) values.push_back(e.values);
    const std::vector<std::array<double, 2>> places = principal_places(values);
    std::array<double, 2> most{1e-12, 1e-12};
    for (const auto& place : places)
        for (size_t axis = 0; axis < 2; ++axis)
            most[axis] = std::max(most[axis], std::abs(place[axis]));
    Chart chart(title + ": encodings of images, first and second principal axis", 5);
    std::vector<std::string> organs;
    for (size_t i = 0; i < places.size(); ++i) {
        const std::string& organ = encodings[i].organ;
        const auto at = std::ranges::find(organs, organ) - organs.begin();
        if (at == std::ssize(organs)) organs.push_back(organ);
        chart.dot(kLeft + 2.5 * kStep * 0.7 * (1 + places[i][0] / most[0]),
                  Chart::y(0.5 + 0.48 * places[i][1] / most[1]), colour(static_cast<size_t>(at)));
    }
    for (size_t i = 0; i < organs.size(); ++i) {
        const double y = kTop + 14 * double(i) + 8;
        chart.dot(kLeft + 3.7 * kStep, y - 4, colour(i));
        chart.text(kLeft + 3.7 * kStep + 8, y, organs[i].empty() ? "unknown" : organs[i], "start");
    }
    chart.write(path);
}

}  // namespace

void write_experiment_figures(const ExperimentJob& job,
                              const std::vector<ExperimentResult>& results) {
    std::vector<ExperimentResult> shown;
    for (const ExperimentResult& row : results)
        if (!row.runs.empty()) shown.push_back(row);
    if (shown.empty()) return;
    const std::filesystem::path folder(job.output);
    draw_bars(folder / "bars.svg", job.table.title, shown);
    draw_violins(folder / "violin.svg", job.table.title, shown);
    for (const ExperimentResult& row : shown) {
        if (row.encodings.size() < 3) continue;
        draw_encodings(folder / "encodings.svg", row.name, row.encodings);
        break;
    }
}

}  // namespace wsi
