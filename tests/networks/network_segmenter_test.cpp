#include "model/nn/network_segmenter.h"

#include <gmock/gmock.h>

#include "config/config_io.h"
#include "io/types/random.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

namespace {

std::string write_weights(const test::TempDir& dir) {
    Config config;
    config.network.base = 4;
    const std::shared_ptr<Network> network = make_network(config.network, 8);
    Notes notes;
    for (const auto& [key, value] : training_fields(config)) notes[key] = value;
    write_state(dir.file("w.safetensors"), state_of(*network), notes);
    return dir.file("w.safetensors");
}

TileSlot slot_with_noise(int side) {
    TileSlot slot;
    slot.rgb = RgbImage(side, side);
    Random random(4);
    for (int64_t i = 0; i < 3 * slot.rgb.size().area(); ++i)
        slot.rgb.data()[i] = static_cast<uint8_t>(random.index(256));
    slot.normalised = slot.rgb;
    for (GrayImage& map : slot.maps) map = GrayImage(side, side, 77);
    return slot;
}

}  // namespace

TEST(NetworkSegmenterTest, looks_only_at_what_lies_on_the_slide) {
    const test::TempDir dir;
    NetworkSegmenter segmenter(write_weights(dir), {});
    TileSlot one = slot_with_noise(96), other = slot_with_noise(96);
    one.inside = other.inside = {10, 20, 50, 40};
    for (int64_t x = 0; x < 96; ++x) other.normalised(x, 5, 0) ^= 0xFF;  // beyond the slide
    TileSlot* batch[] = {&one, &other};
    segmenter.segment(batch, {});
    for (size_t m = 0; m < kMapCount; ++m)
        for (int64_t i = 0; i < one.maps[m].size().area(); ++i)
            ASSERT_EQ(one.maps[m].data()[i], other.maps[m].data()[i]);
    EXPECT_EQ(one.maps[kProbability](9, 30), 0);
    EXPECT_EQ(one.maps[kProbability](60, 30), 0);
    EXPECT_GT(one.maps[kProbability](30, 30), 0);
}

TEST(NetworkSegmenterTest, a_tiles_maps_do_not_depend_on_its_batch) {
    const test::TempDir dir;
    NetworkSegmenter segmenter(write_weights(dir), {});
    TileSlot alone = slot_with_noise(64), together = slot_with_noise(64),
             dark = slot_with_noise(64);
    dark.normalised.fill(0);
    TileSlot* single[] = {&alone};
    TileSlot* pair[] = {&dark, &together};
    segmenter.segment(single, {});
    segmenter.segment(pair, {});
    EXPECT_TRUE(
        std::equal(alone.maps[0].data(), alone.maps[0].data() + 64 * 64, together.maps[0].data()));
}

TEST(NetworkSegmenterTest, refuses_a_file_that_does_not_say_what_it_is_for) {
    const test::TempDir dir;
    write_state(dir.file("w.safetensors"), {{"a", at::zeros({1})}}, {});
    try {
        NetworkSegmenter(dir.file("w.safetensors"), {});
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
        EXPECT_THAT(error.what(), testing::HasSubstr("network.architecture"));
    }
}

}  // namespace wsi::nn
