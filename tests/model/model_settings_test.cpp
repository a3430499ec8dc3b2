#include "model/model_settings.h"

#include <gmock/gmock.h>

#include <array>

#include "io/safetensors.h"
#include "tests/support/temp_dir.h"

namespace wsi {

TEST(ModelSettingsTest, are_what_the_weights_say_about_separation_and_stain) {
    const test::TempDir dir;
    const std::string path = dir.file("w.safetensors");
    const std::array<float, 1> one{1};
    const TensorBytes tensor{"x", DType::F32, {1}, std::as_bytes(std::span(one))};
    write_safetensors(path, std::span(&tensor, 1),
                      {{"separate.threshold", "0.4"},
                       {"stain.method", "none"},
                       {"model.haematoxylin_weight", "4"},
                       {"model.batch", "2"},
                       {"train.epochs", "7"},
                       {"run.epoch", "3"}});
    EXPECT_THAT(model_settings(path),
                testing::ElementsAre("model.haematoxylin_weight=4", "separate.threshold=0.4",
                                     "stain.method=none"));
}

TEST(ModelSettingsTest, are_none_for_models_without_weights) {
    EXPECT_TRUE(model_settings("classical").empty());
    EXPECT_TRUE(model_settings("no/such.safetensors").empty());
}

}  // namespace wsi
