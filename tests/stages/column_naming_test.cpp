// Names of other tools: they must be those of columns that exist, and docs/naming.md must list
// them.
#include "io/column_naming.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <set>
#include <sstream>

#include "io/column_aliases.h"
#include "stages/table_schema.h"

namespace wsi {
namespace {

constexpr Naming kTools[] = {Naming::HistomicsTk, Naming::QuPath, Naming::CellProfiler};

const std::vector<std::string> kIdentity{"id", "centroid_x_px", "centroid_y_px",
                                         "detection_probability"};

FeatureSchema every_column() {
    FeatureConfig config;
    config.zernike = true;
    FeatureSchema all = table_schema(config, StainSet::He);
    for (const FeatureColumn& column : table_schema(config, StainSet::Hdab))
        if (column.name.find("_DAB_") != std::string::npos || column.name.starts_with("ihc"))
            all.push_back(column);
    return all;
}

TEST(ColumnNamingTest, every_alias_is_of_a_column_that_exists_and_no_name_comes_twice) {
    std::set<std::string> known;
    for (const FeatureColumn& column : every_column()) known.insert(column.name);
    known.insert(kIdentity.begin(), kIdentity.end());
    for (const Naming tool : kTools) {
        std::set<std::pair<std::string, std::string>> pairs;
        for (const Alias& alias : aliases_of(tool)) {
            EXPECT_TRUE(known.contains(alias.ours)) << alias.ours;
            EXPECT_TRUE(pairs.insert({alias.ours, alias.theirs}).second) << alias.ours;
        }
        std::set<std::string> theirs;
        for (const NamedColumn& column :
             name_columns(every_column(), tool, LooseNames::Yes, {}, kIdentity))
            EXPECT_TRUE(theirs.insert(column.name).second) << column.name;
        EXPECT_GT(theirs.size(), 60u);
    }
}

NamingFrame frame_of(double um_per_px) {
    return {um_per_px, um_per_px, um_per_px, 2 * um_per_px, 100, 40};
}

std::map<std::string, NamedColumn> named(Naming tool, LooseNames loose, double um_per_px) {
    std::map<std::string, NamedColumn> out;
    for (const NamedColumn& c :
         name_columns(every_column(), tool, loose, frame_of(um_per_px), kIdentity))
        out[c.name] = c;
    return out;
}

TEST(ColumnNamingTest, values_come_in_the_tools_unit) {
    auto cp = named(Naming::CellProfiler, LooseNames::No, 0.25);
    EXPECT_DOUBLE_EQ(cp.at("AreaShape_ConvexArea").factor, 1);
    EXPECT_EQ(cp.at("AreaShape_ConvexArea").unit, "px2");
    const FeatureSchema micrometres{{"shape_convex_area_um2", "um2", ""},
                                    {"shape_mean_radius_um", "um", ""}};
    const auto scaled =
        name_columns(micrometres, Naming::CellProfiler, LooseNames::No, frame_of(0.25));
    ASSERT_EQ(scaled.size(), 2u);
    EXPECT_EQ(scaled[0].name, "AreaShape_ConvexArea");
    EXPECT_EQ(scaled[0].unit, "px2");
    EXPECT_DOUBLE_EQ(scaled[0].factor, 16);
    EXPECT_DOUBLE_EQ(scaled[1].factor, 4);
    EXPECT_DOUBLE_EQ(cp.at("AreaShape_CentralMoment_2_1").factor, std::pow(4.0, 5));
    EXPECT_DOUBLE_EQ(cp.at("AreaShape_Orientation").factor, 180 / std::numbers::pi);
    EXPECT_DOUBLE_EQ(cp.at("AreaShape_Area").factor, 1);
    EXPECT_DOUBLE_EQ(cp.at("Intensity_MeanIntensity_R").factor, 1 / 255.0);
    EXPECT_DOUBLE_EQ(cp.at("Intensity_MeanIntensity_H").factor, 1);
    auto qupath = named(Naming::QuPath, LooseNames::Yes, 0.25);
    EXPECT_DOUBLE_EQ(qupath.at("Nucleus: DAB: Mean").factor, 1 / std::log(10));
    EXPECT_DOUBLE_EQ(qupath.at("Length µm").factor, 1);
}

TEST(ColumnNamingTest, what_is_defined_otherwise_is_left_out_unless_asked_for) {
    for (const Naming tool : kTools) {
        const auto strict = named(tool, LooseNames::No, 1), loose = named(tool, LooseNames::Yes, 1);
        EXPECT_LT(strict.size(), loose.size());
        for (const auto& [name, column] : strict) EXPECT_TRUE(loose.contains(name));
    }
    const auto strict = named(Naming::HistomicsTk, LooseNames::No, 1);
    EXPECT_FALSE(strict.contains("Size.Perimeter"));
    EXPECT_FALSE(strict.contains("Nucleus.Haralick.ASM.Mean"));
    EXPECT_TRUE(strict.contains("Nucleus.Intensity.Mean"));
}

TEST(ColumnNamingTest, a_column_has_every_name_that_a_tool_has_for_it) {
    const FeatureSchema schema{{"shape_perimeter_um", "um", ""},
                               {"shape_min_caliper_um", "um", ""},
                               {"nucleus_H_sd", "od", ""}};
    std::vector<std::string> names;
    for (const NamedColumn& c : name_columns(schema, Naming::QuPath, LooseNames::No, frame_of(1)))
        names.push_back(c.name);
    EXPECT_EQ(names, (std::vector<std::string>{
                         "Length µm", "Nucleus: Length µm", "Nucleus: Perimeter", "Min diameter µm",
                         "Nucleus: Min diameter µm", "Nucleus: Min caliper"}));
    const auto loose = named(Naming::QuPath, LooseNames::Yes, 0.25);
    const auto value = [&](const std::string& name) {
        return named_value(loose.at(name), 2, {}, 1) * std::log(10.0F);
    };
    EXPECT_FLOAT_EQ(value("Nucleus: Hematoxylin: Std.Dev."), 2);
    EXPECT_FLOAT_EQ(value("Nucleus: Hematoxylin OD std dev"), 2);
    EXPECT_FLOAT_EQ(value("ROI: 0.50 µm per pixel: Hematoxylin: Std.dev."), 2);
    EXPECT_FLOAT_EQ(value("Nucleus: Hematoxylin: Variance") * std::log(10.0F), 4);
    // Two of ours under one name: the first that is there.
    const FeatureSchema two{{"shape_mean_radius_px", "px", ""}, {"shape_mean_radius_um", "um", ""}};
    const auto once = name_columns(two, Naming::CellProfiler, LooseNames::No, frame_of(0.25));
    ASSERT_EQ(once.size(), 1u);
    EXPECT_EQ(once[0].place, 0u);
}

TEST(ColumnNamingTest, places_are_counted_from_the_tools_origin) {
    NucleusIdentity who;
    who.centroid_x_px = 300.5;
    who.centroid_y_px = 50;
    who.detection_probability = 0.75F;
    const auto value = [&](Naming tool, const std::string& name, float own) {
        return named_value(named(tool, LooseNames::Yes, 0.25).at(name), own, who, 7);
    };
    using enum Naming;
    EXPECT_EQ(value(HistomicsTk, "Label", 0), 7);
    EXPECT_EQ(value(HistomicsTk, "Identifier.CentroidX", 0), 300);
    EXPECT_EQ(value(HistomicsTk, "Identifier.WeightedCentroidX", 0.5F), 302);
    EXPECT_EQ(value(HistomicsTk, "Identifier.WeightedCentroidY", -0.25F), 48.5F);
    EXPECT_EQ(value(CellProfiler, "Location_Center_Y", 0), 49.5F);
    EXPECT_EQ(value(QuPath, "Centroid X µm", 0), 50.125F);
    EXPECT_EQ(value(QuPath, "Centroid Y µm", 0), 2.5F);
    EXPECT_EQ(value(QuPath, "Detection probability", 0), 0.75F);
    EXPECT_EQ(value(CellProfiler, "AreaShape_InertiaTensorEigenvalues_0", 8), 4);
}

TEST(ColumnNamingTest, our_own_names_stay_in_place) {
    const FeatureSchema schema = every_column();
    const auto columns = name_columns(schema, Naming::Ours, LooseNames::No, {}, kIdentity);
    ASSERT_EQ(columns.size(), schema.size());
    for (size_t k = 0; k < schema.size(); ++k) {
        EXPECT_EQ(columns[k].place, k);
        EXPECT_EQ(columns[k].name, schema[k].name);
        EXPECT_EQ(named_value(columns[k], 1.25F, {}, 1), 1.25F);
    }
    EXPECT_EQ(naming_of("qupath"), Naming::QuPath);
    EXPECT_THROW(naming_of("imagej"), Error);
}

/// The table of docs/naming.md.
std::string markdown() {
    std::ostringstream out;
    out << "| ours | HistomicsTK | QuPath | CellProfiler |\n|---|---|---|---|\n";
    std::vector<std::string> ours = kIdentity;
    for (const FeatureColumn& column : every_column()) ours.push_back(column.name);
    for (const std::string& column : ours) {
        std::string row = "| `" + column + "` |";
        bool any = false;
        for (const Naming tool : kTools) {
            std::string names;
            for (const Alias& alias : aliases_of(tool))
                if (alias.ours == column)
                    names += (names.empty() ? "" : "; ") + alias.theirs +
                             (alias.definition == Definition::Other ? " ≈" : "");
            any |= !names.empty();
            row += " " + names + " |";
        }
        if (any) out << row << "\n";
    }
    return out.str();
}

TEST(ColumnNamingTest, the_list_in_the_docs_is_current) {
    std::ifstream file(std::string(WSI_SOURCE_DIR) + "/docs/naming.md");
    std::stringstream text;
    text << file.rdbuf();
    const std::string found = text.str(), expected = markdown();
    const size_t at = found.find("| ours |");
    ASSERT_NE(at, std::string::npos);
    if (found.substr(at) == expected) return;
    const std::string path = testing::TempDir() + "naming_table.md";
    std::ofstream(path) << expected;
    FAIL() << "docs/naming.md is stale; its table should be that of " << path;
}

}  // namespace
}  // namespace wsi
