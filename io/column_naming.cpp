#include "io/column_naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/column_aliases.h"

namespace wsi {

namespace {

FromIdentity identity_of(const std::string& ours) {
    return ours == "id"              ? FromIdentity::Id
           : ours == "centroid_x_px" ? FromIdentity::CentroidX
           : ours == "centroid_y_px" ? FromIdentity::CentroidY
                                     : FromIdentity::DetectionProbability;
}

/// "um3" has power 3, "um" 1.
int power_of(const std::string& unit) { return unit.size() > 2 ? unit[2] - '0' : 1; }

/// How a column's values become the tool's, and the unit they then have.
void convert(const Alias& alias, const NamingFrame& frame, NamedColumn& out) {
    const auto centre_of_mass = [&](FromIdentity centroid, double um_per_px) {
        out.identity = centroid;
        out.factor = 1 / um_per_px;
        out.offset = -0.5;
        out.unit = "px";
    };
    const auto qupath_um = [&](double um_per_px, double bounds_px) {
        out.share = um_per_px;
        out.offset = -bounds_px * um_per_px;
        out.unit = "um";
    };
    switch (alias.convert) {
        case Convert::Pixels: {
            const int power = power_of(out.unit);
            out.factor = std::pow(frame.um_per_px, -power);
            out.unit = power > 1 ? "px" + std::to_string(power) : "px";
            break;
        }
        case Convert::Degrees:
            out.factor = 180 / std::numbers::pi;
            out.unit = "degrees";
            break;
        case Convert::Decadic:
            out.factor = 1 / std::numbers::ln10;
            out.unit = "decadic od";
            break;
        case Convert::DecadicVariance:
            out.factor = 1 / std::numbers::ln10;
            out.power = 2;
            out.unit = "decadic od2";
            break;
        case Convert::Variance:
            out.power = 2;
            out.unit += "2";
            break;
        case Convert::Eigenvalue:
            out.factor = 0.25;
            out.power = 2;
            out.unit = "px2";
            break;
        case Convert::UnitInterval:
            out.factor = 1 / 255.0;
            out.unit = "1";
            break;
        case Convert::PixelCentre: out.offset = -0.5; break;
        case Convert::CentreOfMassX:
            centre_of_mass(FromIdentity::CentroidX, frame.um_per_px_x);
            break;
        case Convert::CentreOfMassY:
            centre_of_mass(FromIdentity::CentroidY, frame.um_per_px_y);
            break;
        case Convert::QupathX: qupath_um(frame.um_per_px_x, frame.bounds_x_px); break;
        case Convert::QupathY: qupath_um(frame.um_per_px_y, frame.bounds_y_px); break;
        case Convert::Nothing: break;
    }
}

/// The tool's name; QuPath's of intensity features say at which resolution.
std::string name_of(const Alias& alias, const NamingFrame& frame) {
    std::string name = alias.theirs;
    if (const size_t at = name.find(kResolution); at != std::string::npos)
        name.replace(at, std::string(kResolution).size(),
                     fmt::format("{:.2f}", frame.work_um_per_px));
    return name;
}

/// Gathers columns under the names of one tool.
class Namer {
public:
    Namer(Naming naming, LooseNames loose, const NamingFrame& frame)
        : aliases_(aliases_of(naming)), loose_(loose), frame_(frame) {}

    void add(const std::string& ours, const NamedColumn& plain) {
        for (const Alias& alias : aliases_) {
            if (alias.ours != ours ||
                (alias.definition == Definition::Other && loose_ == LooseNames::No))
                continue;
            NamedColumn column = plain;
            column.name = name_of(alias, frame_);
            convert(alias, frame_, column);
            if (std::ranges::find(out, column.name, &NamedColumn::name) == out.end())
                out.push_back(column);
        }
    }
    std::vector<NamedColumn> out;

private:
    const std::vector<Alias>& aliases_;
    const LooseNames loose_;
    const NamingFrame& frame_;
};

double identity_value(FromIdentity what, const NucleusIdentity& who, uint64_t id) {
    switch (what) {
        case FromIdentity::Id: return static_cast<double>(id);
        case FromIdentity::CentroidX: return who.centroid_x_px;
        case FromIdentity::CentroidY: return who.centroid_y_px;
        case FromIdentity::DetectionProbability:
            return static_cast<double>(who.detection_probability);
        case FromIdentity::Nothing: break;
    }
    return 0;
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

float named_value(const NamedColumn& column, float value, const NucleusIdentity& who, uint64_t id) {
    const double scaled = column.factor * static_cast<double>(value);
    const double own = !column.place ? 0 : column.power == 2 ? scaled * scaled : scaled;
    return static_cast<float>(own + column.share * identity_value(column.identity, who, id) +
                              column.offset);
}

std::vector<NamedColumn> name_columns(const FeatureSchema& schema, Naming naming, LooseNames loose,
                                      const NamingFrame& frame,
                                      std::span<const std::string> identity) {
    if (naming == Naming::Ours) {
        std::vector<NamedColumn> out;
        for (size_t k = 0; k < schema.size(); ++k)
            out.push_back({.place = k, .name = schema[k].name, .unit = schema[k].unit});
        return out;
    }
    Namer namer(naming, loose, frame);
    for (const std::string& ours : identity)
        namer.add(ours, {.place = {},
                         .name = {},
                         .unit = ours.ends_with("_px") ? "px" : "1",
                         .identity = identity_of(ours)});
    for (size_t k = 0; k < schema.size(); ++k)
        namer.add(schema[k].name, {.place = k, .name = {}, .unit = schema[k].unit});
    return namer.out;
}

}  // namespace wsi
