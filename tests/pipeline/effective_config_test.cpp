#include <gtest/gtest.h>

#include <array>

#include "io/safetensors.h"
#include "pipeline/commands.h"
#include "tests/support/temp_dir.h"

namespace wsi {

TEST(EffectiveConfigTest, a_models_own_settings_lie_over_defaults_and_under_the_users) {
    const test::TempDir dir;
    const std::string path = dir.file("w.safetensors");
    const std::array<float, 1> one{1};
    const TensorBytes tensor{"x", DType::F32, {1}, std::as_bytes(std::span(one))};
    write_safetensors(path, std::span(&tensor, 1),
                      {{"separate.threshold", "0.4"}, {"separate.h", "0.12"}});
    CommonOptions options;
    options.model = path;
    options.set = {"separate.h=0.2"};
    const Config config = effective_config(options);
    EXPECT_EQ(config.separate.threshold, 0.4);
    EXPECT_EQ(config.separate.h, 0.2);
    EXPECT_EQ(config.separate.min_area_um2, SeparateConfig{}.min_area_um2);
}

}  // namespace wsi
