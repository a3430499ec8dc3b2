#include "pipeline/experiments_statistics.h"

namespace wsi {

MeanSd mean_sd(const std::vector<double>& values) {
    MeanSd out;
    out.n = values.size();
    if (values.empty()) return out;
    double sum = 0, squares = 0;
    for (const double v : values) sum += v;
    out.mean = sum / static_cast<double>(out.n);
    for (const double v : values) squares += (v - out.mean) * (v - out.mean);
    if (out.n > 1) out.sd = std::sqrt(squares / static_cast<double>(out.n - 1));
    return out;
}

std::vector<double> run_means(const ExperimentResult& row, const std::string& metric) {
    std::vector<double> means;
    for (const auto& [run, images] : row.runs) {
        std::vector<double> values;
        for (const auto& [image, scores] : images)
            if (!std::isnan(scores.at(metric))) values.push_back(scores.at(metric));
        if (!values.empty()) means.push_back(mean_sd(values).mean);
    }
    return means;
}

}  // namespace wsi
