#include "io/column_choice.h"

#include <algorithm>
#include <numeric>

#include "io/result_layout.h"

namespace wsi {

namespace {

/// Levenshtein's distance.
size_t letters_apart(const std::string& a, const std::string& b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size(); ++j) {
            const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::vector<std::string> identity_names() {
    std::vector<std::string> names{"id",    "uuid",     "centroid_x_px", "centroid_y_px",
                                   "class", "geometry", "slide",         "source"};
    for (const auto& c : layout::kFloatColumns) names.emplace_back(c.name);
    for (const auto& c : layout::kFlagColumns) names.emplace_back(c.name);
    return names;
}

[[noreturn]] void refuse(const std::string& name, std::span<const std::string> known) {
    std::string nearest;
    for (const std::string& n : nearest_names(name, known, 3))
        nearest += (nearest.empty() ? "" : ", ") + n;
    fail(ErrorKind::Config, "--columns: there is no column '", name, "'; nearest: ", nearest,
         "; all of them: h5ls OUT.h5/nuclei, or docs/features.md");
}

}  // namespace

bool fits_pattern(const std::string& name, const std::string& pattern) {
    size_t n = 0, p = 0, star = std::string::npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != std::string::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string::npos;
}

std::vector<std::string> nearest_names(const std::string& name, std::span<const std::string> known,
                                       size_t count) {
    std::vector<std::pair<size_t, std::string>> ranked;
    for (const std::string& k : known) ranked.emplace_back(letters_apart(name, k), k);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    ranked.resize(std::min(count, ranked.size()));
    std::vector<std::string> names;
    for (const auto& entry : ranked) names.push_back(entry.second);
    return names;
}

std::vector<size_t> choose_columns(const FeatureSchema& schema,
                                   std::span<const std::string> wanted) {
    std::vector<size_t> chosen;
    const std::vector<std::string> identity = identity_names();
    for (const std::string& pattern : wanted) {
        bool found = std::any_of(identity.begin(), identity.end(), [&](const std::string& name) {
            return fits_pattern(name, pattern);
        });
        for (size_t k = 0; k < schema.size(); ++k) {
            if (!fits_pattern(schema[k].name, pattern)) continue;
            found = true;
            if (std::find(chosen.begin(), chosen.end(), k) == chosen.end()) chosen.push_back(k);
        }
        if (found) continue;
        std::vector<std::string> known;
        for (const FeatureColumn& c : schema) known.push_back(c.name);
        known.insert(known.end(), identity.begin(), identity.end());
        refuse(pattern, known);
    }
    return chosen;
}

}  // namespace wsi
