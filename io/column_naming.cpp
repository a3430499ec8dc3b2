#include "io/column_naming.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/column_aliases.h"

namespace wsi {

namespace {

/// What a value is multiplied with, and the unit it then has.
std::pair<double, std::string> converted(const Alias& alias, const std::string& unit,
                                         double um_per_px) {
    switch (alias.convert) {
        case Convert::Pixels: {
            // "um3" has power 3, "um" 1.
            const int power = unit.size() > 2 ? unit[2] - '0' : 1;
            return {std::pow(um_per_px, -power), power > 1 ? "px" + std::to_string(power) : "px"};
        }
        case Convert::Degrees: return {180 / std::numbers::pi, "degrees"};
        case Convert::Decadic: return {1 / std::numbers::ln10, "decadic od"};
        case Convert::UnitInterval: return {1 / 255.0, "1"};
        case Convert::Nothing: break;
    }
    return {1, unit};
}

}  // namespace

Naming naming_of(const std::string& text) {
    if (text == "ours") return Naming::Ours;
    if (text == "histomicstk") return Naming::HistomicsTk;
    if (text == "qupath") return Naming::QuPath;
    if (text == "cellprofiler") return Naming::CellProfiler;
    fail(ErrorKind::Config, "naming = '", text,
         "': expected ours, histomicstk, qupath or cellprofiler");
}

std::vector<NamedColumn> name_columns(const FeatureSchema& schema, Naming naming, LooseNames loose,
                                      double um_per_px) {
    std::vector<NamedColumn> out;
    if (naming == Naming::Ours) {
        for (size_t k = 0; k < schema.size(); ++k)
            out.push_back({k, schema[k].name, schema[k].unit, 1});
        return out;
    }
    const std::vector<Alias>& aliases = aliases_of(naming);
    for (size_t k = 0; k < schema.size(); ++k) {
        const auto alias = std::find_if(aliases.begin(), aliases.end(),
                                        [&](const Alias& a) { return a.ours == schema[k].name; });
        if (alias == aliases.end() ||
            (alias->definition == Definition::Other && loose == LooseNames::No))
            continue;
        const auto [factor, unit] = converted(*alias, schema[k].unit, um_per_px);
        out.push_back({k, alias->theirs, unit, factor});
    }
    return out;
}

}  // namespace wsi
