#include "pipeline/evaluate_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "config/error.h"
#include "io/text_file.h"
#include "stages/class_metrics.h"

namespace wsi {

namespace {

/// CoNIC counts nuclei in the middle 224 of 256 px.
constexpr int64_t kConicMarginPx = 16;

std::string cell(double value, const char* otherwise) {
    return std::isnan(value) ? otherwise : fmt::format("{:.6f}", value);
}

uint8_t greatest(const GrayImage& classes) {
    const std::span values(classes.data(), static_cast<size_t>(classes.size().area()));
    return values.empty() ? uint8_t{0} : std::ranges::max(values);
}

std::string csv_row(const std::string& predictor, const std::string& name, int64_t truth,
                    int64_t found, double pq, double detection_f1, double r2) {
    return fmt::format("{},{},{},{},{},{},{}\n", predictor, name, truth, found, cell(pq, ""),
                       cell(detection_f1, ""), cell(r2, ""));
}

}  // namespace

void ClassScores::add(const std::string& predictor, const Image<uint32_t>& truth,
                      const GrayImage& truth_classes, const Image<uint32_t>& found,
                      const GrayImage& found_classes, double radius_px) {
    OfPredictor& of = of_[predictor];
    const size_t n = std::max({names_.size(), of.classes.size(), size_t{greatest(truth_classes)},
                               size_t{greatest(found_classes)}});
    const std::vector<double> none(of.images);
    of.classes.resize(n, {{}, none, none});
    ++of.images;
    const int64_t margin = compat_ == Compat::Conic ? kConicMarginPx : 0;
    const auto true_count = nuclei_per_class(truth, truth_classes, int(n), margin);
    const auto found_count = nuclei_per_class(found, found_classes, int(n), margin);
    for (size_t c = 0; c < n; ++c) {
        const auto which = static_cast<uint8_t>(c + 1);
        const Image<uint32_t> of_truth = labels_of_class(truth, truth_classes, which);
        const Image<uint32_t> of_found = labels_of_class(found, found_classes, which);
        of.classes[c].counts +=
            count_metrics(contingency(of_truth.view(), of_found.view()), compat_, radius_px);
        of.classes[c].truth.push_back(static_cast<double>(true_count[c]));
        of.classes[c].found.push_back(static_cast<double>(found_count[c]));
    }
}

std::string ClassScores::name_of(size_t place) const {
    return place < names_.size() ? names_[place] : "class " + std::to_string(place + 1);
}

std::map<std::string, std::vector<ClassScore>> ClassScores::scores() const {
    std::map<std::string, std::vector<ClassScore>> all;
    for (const auto& [predictor, said] : of_)
        for (size_t c = 0; c < said.classes.size(); ++c) {
            const OfClass& of = said.classes[c];
            const Metrics m = metrics(of.counts, compat_);
            const bool nowhere = of.counts.truth + of.counts.found == 0 && compat_ != Compat::Conic;
            all[predictor].push_back({name_of(c), of.counts, nowhere ? NAN : m.pq,
                                      nowhere ? NAN : m.detection_f1,
                                      nowhere ? NAN : determination(of.truth, of.found)});
        }
    return all;
}

double class_mean(const std::vector<ClassScore>& scores, double ClassScore::*value) {
    double sum = 0;
    int counted = 0;
    for (const ClassScore& score : scores) {
        if (std::isnan(score.*value)) continue;
        sum += score.*value;
        ++counted;
    }
    return counted > 0 ? sum / counted : NAN;
}

void write_class_scores(const std::string& path, const ClassScores& scores) {
    TextFile csv(path);
    csv.write("predictor,class,truth,found,pq,detection_f1,r2\n");
    for (const auto& [predictor, classes] : scores.scores()) {
        int64_t truth = 0, found = 0;
        for (const ClassScore& s : classes) {
            csv.write(csv_row(predictor, s.name, s.counts.truth, s.counts.found, s.pq,
                              s.detection_f1, s.r2));
            truth += s.counts.truth;
            found += s.counts.found;
        }
        csv.write(csv_row(
            predictor, "mean of classes", truth, found, class_mean(classes, &ClassScore::pq),
            class_mean(classes, &ClassScore::detection_f1), class_mean(classes, &ClassScore::r2)));
    }
    csv.commit();
}

std::string class_tables(const ClassScores& scores) {
    const auto number = [](double v) { return std::isnan(v) ? "-" : fmt::format("{:.3f}", v); };
    std::string out;
    for (const auto& [predictor, classes] : scores.scores()) {
        out += fmt::format(
            "\n## Classes, {}\n\nCounts summed over images, then scored (mPQ+ is the mean of "
            "pq).\n\n"
            "| class | true | found | pq | detection_f1 | r2 of counts "
            "|\n|---|---|---|---|---|---|\n",
            predictor);
        for (const ClassScore& s : classes)
            out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", s.name, s.counts.truth,
                               s.counts.found, number(s.pq), number(s.detection_f1), number(s.r2));
        out += fmt::format("| mean | | | {} | {} | {} |\n",
                           number(class_mean(classes, &ClassScore::pq)),
                           number(class_mean(classes, &ClassScore::detection_f1)),
                           number(class_mean(classes, &ClassScore::r2)));
    }
    return out;
}

}  // namespace wsi
