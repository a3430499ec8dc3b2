#include "stages/ihc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "config/error.h"

namespace wsi {

FeatureSchema ihc_columns() {
    return {{"ihc_grade", "1", "0 negative, 1 weak, 2 moderate, 3 strong, by the mean DAB"}};
}

IhcScorer::IhcScorer(const IhcConfig& config, const FeatureSchema& schema) : config_(config) {
    constexpr std::array<const char*, 3> kPlaces{"nucleus", "ring", "edge"};
    const std::string name = std::string(kPlaces[static_cast<size_t>(config.place)]) + "_DAB_mean";
    const auto at = std::find_if(schema.begin(), schema.end(),
                                 [&](const FeatureColumn& c) { return c.name == name; });
    if (at == schema.end())
        fail(ErrorKind::Config, "DAB is graded by ", name,
             ", which is not measured; switch features.intensity on, features.brief off and "
             "features.ring_um above 0, "
             "or choose another ihc.place");
    column_ = static_cast<size_t>(at - schema.begin());
}

float IhcScorer::operator()(std::span<const float> row) {
    const auto density = static_cast<double>(row[column_]);
    if (std::isnan(density)) return std::numeric_limits<float>::quiet_NaN();
    const size_t grade = density >= config_.strong_od     ? 3
                         : density >= config_.moderate_od ? 2
                         : density >= config_.weak_od     ? 1
                                                          : 0;
    ++counts_[grade];
    return static_cast<float>(grade);
}

std::vector<SummaryValue> IhcScorer::summary() const {
    std::array<double, 4> n{};
    double all = 0;
    for (size_t grade = 0; grade < n.size(); ++grade)
        all += n[grade] = static_cast<double>(counts_[grade]);
    return {{"negative", n[0]},
            {"weak", n[1]},
            {"moderate", n[2]},
            {"strong", n[3]},
            {"positive_fraction", (n[1] + n[2] + n[3]) / all},
            {"h_score", 100 * (n[1] + 2 * n[2] + 3 * n[3]) / all},
            {"weak_od", config_.weak_od},
            {"moderate_od", config_.moderate_od},
            {"strong_od", config_.strong_od}};
}

}  // namespace wsi
