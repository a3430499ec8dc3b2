#include "config/config_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "config/error.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

using testing::HasSubstr;

template <class Function>
std::string config_error(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Config);
        return error.what();
    }
    return "no error";
}

TEST(ConfigTest, what_is_written_reads_back_the_same) {
    Config config;
    apply_set(config, "stain.method=reinhard");
    apply_set(config, "separate.h=0.125");
    apply_set(config, "run.keep_maps=true");
    const test::TempDir dir;
    std::ofstream(dir.file("c.yaml")) << config_yaml(config);
    Config again;
    load_config_file(again, dir.file("c.yaml"));
    EXPECT_EQ(config_yaml(again), config_yaml(config));
    EXPECT_EQ(again.stain.method, StainMethod::Reinhard);
    EXPECT_TRUE(again.run.keep_maps);
}

TEST(ConfigTest, mistakes_are_named_with_place_and_remedy) {
    Config config;
    EXPECT_THAT(config_error([&] { apply_set(config, "separate.treshold=0.4"); }),
                HasSubstr("did you mean separate.threshold"));
    EXPECT_THAT(config_error([&] { apply_set(config, "separate.threshold=1.5"); }),
                HasSubstr("expected a number from 0.004 to 1"));
    EXPECT_THAT(config_error([&] { apply_set(config, "model.batch=2.5"); }),
                HasSubstr("expected a whole number"));
    EXPECT_THAT(config_error([&] { apply_set(config, "run.keep_maps=yes"); }),
                HasSubstr("true or false"));
    EXPECT_THAT(config_error([&] { apply_set(config, "stain.method=fancy"); }),
                HasSubstr("macenko, reinhard"));
    EXPECT_THAT(config_error([&] { apply_set(config, "nonsense"); }),
                HasSubstr("expected key=value"));
    const test::TempDir dir;
    std::ofstream(dir.file("bad.yaml")) << "stain:\n  method: none\n  methid: x\n";
    const std::string error = config_error([&] { load_config_file(config, dir.file("bad.yaml")); });
    EXPECT_THAT(error, HasSubstr("bad.yaml:3:3"));
    EXPECT_THAT(error, HasSubstr("did you mean stain.method"));
    EXPECT_THAT(config_error([&] { load_config_file(config, dir.file("none.yaml")); }),
                HasSubstr("cannot open"));
    EXPECT_THAT(config_error([&] { load_preset(config, "nothing"); }),
                HasSubstr("known: ihc, paper"));
}

TEST(ConfigTest, only_what_changes_results_makes_a_run_another) {
    Config config;
    const auto before = result_fields(config);
    config.run.threads = 7;
    config.run.memory_mib = 9000;
    config.tiling.region_px = 999;
    config.run.keep_maps = true;
    EXPECT_EQ(result_fields(config), before);
    config.separate.h += 0.01;
    EXPECT_NE(result_fields(config), before);
}

TEST(ConfigTest, presets_load) {
    Config config;
    load_preset(config, "ihc");
    EXPECT_EQ(config.stain.stains, StainSet::Hdab);
}

TEST(ConfigTest, sizes_of_memory) {
    EXPECT_EQ(parse_memory_mib("1400"), 1400);
    EXPECT_EQ(parse_memory_mib("1.5GiB"), 1536);
    EXPECT_EQ(parse_memory_mib("700MiB"), 700);
    for (const char* bad : {"", "x", "-3", "2TB", "1e99"})
        EXPECT_THAT(config_error([&] { parse_memory_mib(bad); }), HasSubstr("expected a size"))
            << bad;
}

}  // namespace
}  // namespace wsi
