#include "config/experiment_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "config/error.h"
#include "tests/support/temp_dir.h"

namespace wsi {

namespace {

std::string error_of(const std::string& text) {
    const test::TempDir dir;
    std::ofstream(dir.file("t.yaml")) << text;
    try {
        read_experiment_table(dir.file("t.yaml"));
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST(ExperimentFileTest, rows_stand_over_the_command_line_and_that_over_the_table) {
    const test::TempDir dir;
    std::ofstream(dir.file("t.yaml"))
        << "title: T\nset: [network.base=8, train.epochs=3]\nreference: a\nrows:\n"
           "  - name: a\n  - name: b\n    set: [network.base=10]\n";
    const ExperimentTable table = read_experiment_table(dir.file("t.yaml"));
    ASSERT_EQ(table.rows.size(), 2U);
    const std::vector<std::string> line{"train.epochs=5", "network.base=9"};
    const Config a = row_config(table, table.rows[0], line, Config{});
    const Config b = row_config(table, table.rows[1], line, Config{});
    EXPECT_EQ(a.network.base, 9);
    EXPECT_EQ(b.network.base, 10);
    EXPECT_EQ(b.train.epochs, 5);
}

TEST(ExperimentFileTest, mistakes_are_named_with_their_place) {
    EXPECT_THAT(error_of("title: T\nrow: []\n"), testing::HasSubstr("t.yaml:2:1: unknown key row"));
    EXPECT_THAT(error_of("reference: c\nrows:\n  - name: a\n"),
                testing::HasSubstr("reference = 'c': expected the name of a row"));
    EXPECT_THAT(error_of("reference: a\nrows:\n  - name: a\n  - name: a\n"),
                testing::HasSubstr("two rows are called a"));
    EXPECT_THAT(error_of("reference: a\nrows:\n  - set: []\n"),
                testing::HasSubstr("t.yaml:3:5: expected a row with a name"));
}

TEST(ExperimentFileTest, every_table_that_ships_can_be_read_and_its_settings_hold) {
    size_t tables = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(WSI_SOURCE_DIR) + "/config/experiments")) {
        const ExperimentTable table = read_experiment_table(file.path().string());
        for (const ExperimentRow& row : table.rows) row_config(table, row, {}, Config{});
        ++tables;
    }
    EXPECT_GE(tables, 5U);
}

}  // namespace wsi
