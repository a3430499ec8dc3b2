// eU-Net3+ with a frozen encoder: through save, load and a tile.
#include <gmock/gmock.h>

#include <filesystem>

#include "io/types/random.h"
#include "model/nn/embedding_cache.h"
#include "model/nn/network_segmenter.h"
#include "model/nn/networks.h"
#include "model/nn/sam_encoder.h"
#include "model/nn/state.h"
#include "model/nn/tiny_vit.h"
#include "model/train/torch_trainer.h"
#include "tests/networks/fused_weights.h"
#include "tests/support/message_of.h"
#include "tests/support/temp_dir.h"

namespace wsi {

using test::message_of;

namespace {

/// Blobs of a few pixels, other ones for another seed.
TileSlot tile(int side, uint64_t seed) {
    TileSlot slot;
    slot.rgb = RgbImage(side, side, 230);
    Random random(seed);
    for (int k = 0; k < side * side / 300; ++k) {
        const int64_t x = random.index(side - 8), y = random.index(side - 8);
        for (int64_t i = 0; i < 64; ++i)
            slot.rgb(x + i % 8, y + i / 8, 1) = static_cast<uint8_t>(random.index(120));
    }
    slot.normalised = slot.rgb;
    for (GrayImage& map : slot.maps) map = GrayImage(side, side, 77);
    return slot;
}

int64_t differing_mask_pixels(const TileSlot& a, const TileSlot& b) {
    int64_t count = 0;
    for (int64_t i = 0; i < a.maps[0].size().area(); ++i)
        count += (a.maps[kProbability].data()[i] > 127) != (b.maps[kProbability].data()[i] > 127);
    return count;
}

}  // namespace

TEST(FusedNetworkTest, swapping_one_fields_embedding_for_anothers_changes_the_mask) {
    for (const EncoderContext context : {EncoderContext::Field, EncoderContext::Tile}) {
        const test::TempDir dir;
        test::write_fused_weights(dir.file("w.safetensors"), test::fused_config(context));
        nn::NetworkSegmenter segmenter(dir.file("w.safetensors"), {});
        const int side = segmenter.input_spec().input_px();
        TileSlot own = tile(side, 1), swapped = tile(side, 1), whole = tile(side, 1);
        const TileSlot other = tile(side, 2);
        segmenter.fill_maps(own, segmenter.embedding_of(own));
        segmenter.fill_maps(swapped, segmenter.embedding_of(other));
        EXPECT_GT(differing_mask_pixels(own, swapped), 0);
        TileSlot* batch[] = {&whole};
        segmenter.segment(batch, {});
        EXPECT_EQ(differing_mask_pixels(own, whole), 0);
    }
}

TEST(FusedNetworkTest, mobile_sam_is_an_encoder_like_the_others) {
    const at::NoGradGuard no_gradients;
    const test::TempDir dir;
    Config config = test::fused_config(EncoderContext::Tile);
    config.network.encoder = "mobile_sam";
    test::write_fused_weights(dir.file("w.safetensors"), config);
    const std::string weights = dir.file("tiny_sam.safetensors");
    const nn::ContextEncoder encoder(config, weights, "");
    const TileSlot own = tile(128, 1), other = tile(128, 2);
    nn::TinyVit plain{nn::TinyVitOptions{}};
    nn::load_into(*plain, nn::tiny_vit_state(nn::read_state(weights).tensors), weights);
    plain->eval();
    const at::Tensor expected = plain->forward(nn::sam_input(own.rgb, 512));
    const at::Tensor got = encoder.embed(own.rgb);
    EXPECT_EQ(got.sizes(), (std::vector<int64_t>{1, 256, 32, 32}));
    EXPECT_LE(((got - expected).abs().max() / expected.abs().max()).item<double>(), 1e-4);

    nn::NetworkSegmenter segmenter(dir.file("w.safetensors"), {});
    TileSlot its = tile(128, 1), swapped = tile(128, 1);
    segmenter.fill_maps(its, segmenter.embedding_of(its));
    segmenter.fill_maps(swapped, segmenter.embedding_of(other));
    EXPECT_GT(differing_mask_pixels(its, swapped), 0);

    test::write_random_encoder(weights, test::fused_config(EncoderContext::Tile), 3);
    EXPECT_THAT(message_of([&] { nn::ContextEncoder(config, weights, ""); }),
                testing::HasSubstr("does not fit the network"));
}

TEST(FusedNetworkTest, tiles_are_what_one_embedding_shows) {
    const test::TempDir dir;
    test::write_fused_weights(dir.file("f.safetensors"), test::fused_config(EncoderContext::Field));
    const nn::NetworkSegmenter fields(dir.file("f.safetensors"), {});
    EXPECT_EQ(fields.input_spec().input_px(), 512);
    EXPECT_EQ(fields.input_spec().core_px, 448);
    test::write_fused_weights(dir.file("t.safetensors"), test::fused_config(EncoderContext::Tile));
    const nn::NetworkSegmenter tiles(dir.file("t.safetensors"), {});
    EXPECT_EQ(tiles.input_spec().input_px(), 128);
    EXPECT_EQ(tiles.input_spec().core_px, 64);
}

TEST(FusedNetworkTest, an_embedding_is_cut_to_the_pixels_of_a_part) {
    const test::TempDir dir;
    for (const auto& [context, scale] :
         {std::pair(EncoderContext::Field, 1), std::pair(EncoderContext::Tile, 4)}) {
        const Config config = test::fused_config(context);
        test::write_random_encoder(dir.file("e.safetensors"), config, 3);
        const nn::ContextEncoder encoder(config, dir.file("e.safetensors"), "");
        EXPECT_EQ(encoder.view_px(), 512 / scale);
        const at::Tensor whole = encoder.embed(tile(512 / scale, 4).rgb);
        EXPECT_EQ(whole.sizes(), (std::vector<int64_t>{1, 16, 32, 32}));
        const at::Tensor part = encoder.part(whole, {32, 16, 70, 33});
        EXPECT_TRUE(part.equal(whole.slice(2, scale, 4 * scale).slice(3, 2 * scale, 7 * scale)));
    }
}

TEST(FusedNetworkTest, refuses_another_encoder_than_it_learned_with) {
    const test::TempDir dir;
    const std::string weights = dir.file("w.safetensors"),
                      encoder = dir.file("tiny_sam.safetensors");
    const Config config = test::fused_config(EncoderContext::Field);
    test::write_fused_weights(weights, config);
    const std::string own = nn::read_state(encoder).sha256;
    EXPECT_EQ(nn::read_state(weights).notes.at("encoder.sha256"), own);
    ModelConfig other;
    other.encoder_weights = dir.file("other.safetensors");
    test::write_random_encoder(other.encoder_weights, config, 12);
    const std::string message = message_of([&] { nn::NetworkSegmenter(weights, other); });
    EXPECT_THAT(message, testing::HasSubstr(own));
    EXPECT_THAT(message, testing::HasSubstr(nn::read_state(other.encoder_weights).sha256));
    std::filesystem::remove(encoder);
    EXPECT_THAT(message_of([&] { nn::NetworkSegmenter(weights, {}); }),
                testing::HasSubstr("model.encoder_weights=FILE"));
}

TEST(FusedNetworkTest, learns_with_every_fusion_and_leaves_the_encoder_alone) {
    const test::TempDir dir;
    for (const FusionKind fusion : {FusionKind::Concat, FusionKind::EfbR, FusionKind::EfbP,
                                    FusionKind::EfbLiteral, FusionKind::EfbX}) {
        Config config = test::fused_config(EncoderContext::Tile);
        config.network.fusion = fusion;
        config.network.encoder_px = 256;
        config.train.precision = Precision::Bf16;
        config.model.encoder_weights = dir.file("e.safetensors");
        test::write_random_encoder(config.model.encoder_weights, config, 3);
        const std::string before = nn::read_state(config.model.encoder_weights).sha256;
        train::TorchTrainer trainer(config);
        std::vector<TrainingPatch> batch;
        for (uint64_t k = 0; k < 2; ++k) {
            batch.push_back({tile(128, k).rgb, LabelImage(128, 128)});
            for (int64_t i = 0; i < 4096; ++i) batch.back().ids.data()[i] = 1;
        }
        const double first = trainer.step(batch, 3e-3).total;
        double last = first;
        for (int i = 0; i < 4; ++i) last = trainer.step(batch, 3e-3).total;
        EXPECT_LT(last, first);
        GrayImage probability, distance;
        trainer.predict(tile(200, 5).rgb, probability, distance);  // more than one embedding shows
        EXPECT_EQ(probability.size(), (PixelSize{200, 200}));
        EXPECT_EQ(nn::read_state(config.model.encoder_weights).sha256, before);
    }
}

/// Three steps and a prediction with the cache of `folder`.
std::pair<double, GrayImage> trained(Config config, const std::string& folder) {
    config.train.embedding_cache = folder;
    train::TorchTrainer trainer(config);
    double last = 0;
    for (uint64_t k = 0; k < 3; ++k) {
        std::vector<TrainingPatch> batch;
        batch.push_back({tile(128, k).rgb, LabelImage(128, 128)});
        for (int64_t i = 0; i < 4096; ++i) batch.back().ids.data()[i] = 1;
        last = trainer.step(batch, 3e-3).total;
    }
    GrayImage probability, distance;
    trainer.predict(tile(100, 9).rgb, probability, distance);
    return {last, probability};
}

TEST(EmbeddingCacheTest, embeddings_come_from_disk_and_change_nothing) {
    const test::TempDir dir;
    Config config = test::fused_config(EncoderContext::Tile);
    config.network.encoder_px = 256;
    config.model.encoder_weights = dir.file("e.safetensors");
    test::write_random_encoder(config.model.encoder_weights, config, 3);
    const std::string folder = dir.file("cache");
    const auto without = trained(config, "none"), cold = trained(config, folder);
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    EXPECT_EQ(files.size(), 4U);
    const auto warm = trained(config, folder);
    for (const auto& run : {cold, warm}) {
        EXPECT_EQ(run.first, without.first);
        EXPECT_TRUE(std::equal(run.second.data(), run.second.data() + run.second.size().area(),
                               without.second.data()));
    }
    // What lies there is what is used; a torn file is made anew.
    for (const auto& file : files) {
        nn::StateDict state = nn::read_state(file.string()).tensors;
        nn::write_state(file.string(), {{"embedding", at::zeros_like(state.at("embedding"))}}, {});
    }
    EXPECT_NE(trained(config, folder).first, without.first);
    for (const auto& file : files) std::filesystem::resize_file(file, 100);
    EXPECT_EQ(trained(config, folder).first, without.first);
    EXPECT_EQ(trained(config, folder).first, without.first);
}

TEST(EmbeddingCacheTest, another_picture_encoder_or_input_has_another_embedding) {
    const test::TempDir dir;
    Config config = test::fused_config(EncoderContext::Tile);
    config.network.encoder_px = 256;
    nn::EmbeddingCache cache(dir.file("cache"), 1);
    const at::NoGradGuard no_gradients;
    const auto expect_own = [&](const nn::ContextEncoder& encoder, ConstRgbView rgb) {
        EXPECT_TRUE(cache.embed(encoder, rgb).equal(encoder.embed(rgb)));
        EXPECT_TRUE(cache.embed(encoder, rgb).equal(encoder.embed(rgb)));  // from the folder
    };
    const TileSlot picture = tile(128, 1), other = tile(128, 2);
    for (const uint64_t seed : {3, 4}) {
        test::write_random_encoder(dir.file("e.safetensors"), config, seed);
        for (const EncoderInput input : {EncoderInput::Sam, EncoderInput::MedSam}) {
            config.network.encoder_input = input;
            const nn::ContextEncoder encoder(config, dir.file("e.safetensors"), "");
            expect_own(encoder, picture.rgb);
            expect_own(encoder, other.rgb);
            expect_own(encoder, picture.rgb.view().crop({0, 0, 64, 128}));
        }
    }
    const auto files = [](const std::string& folder) {
        return std::distance(std::filesystem::directory_iterator(folder), {});
    };
    EXPECT_EQ(files(dir.file("cache")), 2 * 2 * 3);
    // 1 x 16 x 16 x 16 floats are 16 kB: the second finds no room.
    nn::EmbeddingCache small(dir.file("small"), 20e-6);
    const nn::ContextEncoder encoder(config, dir.file("e.safetensors"), "");
    small.embed(encoder, picture.rgb);
    small.embed(encoder, other.rgb);
    EXPECT_EQ(files(dir.file("small")), 1);
}

TEST(FusedNetworkTest, says_the_same_when_prepared_for_inference) {
    const at::NoGradGuard no_gradients;
    Config config = test::fused_config(EncoderContext::Field);
    for (const FusionKind fusion : {FusionKind::Concat, FusionKind::EfbR, FusionKind::EfbP,
                                    FusionKind::EfbLiteral, FusionKind::EfbX}) {
        config.network.fusion = fusion;
        const auto network = nn::make_network(config.network, 4);
        network->eval();
        const at::Tensor images = at::rand({1, 3, 64, 48}), embedding = at::rand({1, 16, 4, 3});
        const at::Tensor before = network->forward(images, embedding);
        network->prepare_for_inference();
        const at::Tensor after = network->forward(images, embedding);
        EXPECT_LE(((after - before).abs().max() / before.abs().max()).item<double>(), 1e-4);
    }
}

TEST(FusedNetworkTest, sizes_that_do_not_go_together_are_refused) {
    const test::TempDir dir;
    Config config = test::fused_config(EncoderContext::Tile);
    test::write_random_encoder(dir.file("e.safetensors"), config, 3);
    config.train.patch_px = 176;
    EXPECT_THAT(message_of([&] { nn::ContextEncoder(config, dir.file("e.safetensors"), ""); }),
                testing::HasSubstr("train.patch_px = 176"));
}

}  // namespace wsi
