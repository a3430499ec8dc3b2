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
    for (const Naming tool : kTools) {
        std::set<std::string> ours, theirs;
        for (const Alias& alias : aliases_of(tool)) {
            EXPECT_TRUE(known.contains(alias.ours)) << alias.ours;
            EXPECT_TRUE(ours.insert(alias.ours).second) << alias.ours;
            EXPECT_TRUE(theirs.insert(alias.theirs).second) << alias.theirs;
        }
        EXPECT_GT(ours.size(), 40u);
    }
}

std::map<std::string, NamedColumn> named(Naming tool, LooseNames loose, double um_per_px) {
    std::map<std::string, NamedColumn> out;
    for (const NamedColumn& c : name_columns(every_column(), tool, loose, um_per_px))
        out[c.name] = c;
    return out;
}

TEST(ColumnNamingTest, values_come_in_the_tools_unit) {
    auto cp = named(Naming::CellProfiler, LooseNames::No, 0.25);
    EXPECT_DOUBLE_EQ(cp.at("AreaShape_ConvexArea").factor, 16);
    EXPECT_EQ(cp.at("AreaShape_ConvexArea").unit, "px2");
    EXPECT_DOUBLE_EQ(cp.at("AreaShape_MeanRadius").factor, 4);
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
        EXPECT_EQ(loose.size(), aliases_of(tool).size());
        EXPECT_LT(strict.size(), loose.size());
        for (const auto& [name, column] : strict) EXPECT_TRUE(loose.contains(name));
    }
    const auto strict = named(Naming::HistomicsTk, LooseNames::No, 1);
    EXPECT_FALSE(strict.contains("Size.Perimeter"));
    EXPECT_FALSE(strict.contains("Nucleus.Haralick.ASM.Mean"));
    EXPECT_TRUE(strict.contains("Nucleus.Intensity.Mean"));
}

TEST(ColumnNamingTest, our_own_names_stay_in_place) {
    const FeatureSchema schema = every_column();
    const auto columns = name_columns(schema, Naming::Ours, LooseNames::No, 1);
    ASSERT_EQ(columns.size(), schema.size());
    for (size_t k = 0; k < schema.size(); ++k) {
        EXPECT_EQ(columns[k].place, k);
        EXPECT_EQ(columns[k].name, schema[k].name);
        EXPECT_EQ(columns[k].factor, 1);
    }
    EXPECT_EQ(naming_of("qupath"), Naming::QuPath);
    EXPECT_THROW(naming_of("imagej"), Error);
}

/// The table of docs/naming.md.
std::string markdown() {
    std::ostringstream out;
    out << "| ours | HistomicsTK | QuPath | CellProfiler |\n|---|---|---|---|\n";
    for (const FeatureColumn& column : every_column()) {
        std::string row = "| `" + column.name + "` |";
        bool any = false;
        for (const Naming tool : kTools) {
            row += ' ';
            for (const Alias& alias : aliases_of(tool))
                if (alias.ours == column.name) {
                    row += alias.theirs + (alias.definition == Definition::Other ? " ≈" : "");
                    any = true;
                }
            row += " |";
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
