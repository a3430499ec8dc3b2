#include "stages/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "stages/nucleus_targets.h"

namespace wsi {

namespace {

/// Every pixel another colour; one nucleus left of the middle.
TrainingPatch coloured(int side) {
    TrainingPatch patch{RgbImage(side, side), LabelImage(side, side)};
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            patch.rgb(x, y, 0) = static_cast<uint8_t>(60 + x * 120 / side);
            patch.rgb(x, y, 1) = static_cast<uint8_t>(60 + y * 120 / side);
            patch.rgb(x, y, 2) = 150;
            patch.ids(x, y) = x > side / 4 && x < side / 2 && y > side / 3 && y < side / 2 ? 7 : 0;
        }
    return patch;
}

bool equal(const TrainingPatch& a, const TrainingPatch& b) {
    return std::equal(a.rgb.data(), a.rgb.data() + 3 * a.rgb.size().area(), b.rgb.data()) &&
           std::equal(a.ids.data(), a.ids.data() + a.ids.size().area(), b.ids.data());
}

constexpr double AugmentConfig::*kChances[] = {
    &AugmentConfig::affine,      &AugmentConfig::elastic, &AugmentConfig::crowding,
    &AugmentConfig::paleness,    &AugmentConfig::stain,   &AugmentConfig::exposure,
    &AugmentConfig::gamma,       &AugmentConfig::clahe,   &AugmentConfig::intensity,
    &AugmentConfig::sharpness,   &AugmentConfig::noise,   &AugmentConfig::calm,
    &AugmentConfig::distractors,
};

AugmentConfig no_changes() {
    AugmentConfig config;
    for (const auto chance : kChances) config.*chance = 0;
    return config;
}

}  // namespace

TEST(AugmentTest, each_change_is_off_at_chance_0_and_on_at_chance_1) {
    const TrainingPatch source = coloured(64);
    const auto made = [&](const AugmentConfig& config, uint64_t seed) {
        return augment(source.rgb, source.ids, 64, kReferenceHe, config, seed);
    };
    Random random(5);
    EXPECT_TRUE(
        equal(made(no_changes(), 5), cut_patch(source.rgb, source.ids, 64, no_changes(), random)));
    for (const auto chance : kChances) {
        AugmentConfig config = no_changes();
        config.*chance = 1;
        int changed = 0;  // a draw may leave the one nucleus as it is
        for (uint64_t seed = 0; seed < 10; ++seed)
            changed += equal(made(config, seed), made(no_changes(), seed)) ? 0 : 1;
        EXPECT_GT(changed, 2) << &(config.*chance) - &config.affine;
    }
}

TEST(AugmentTest, strengths_are_limits) {
    const TrainingPatch source = coloured(64);
    AugmentConfig config = no_changes();
    config.elastic = config.noise = 1;
    config.elastic_px = config.noise_sd = 0;
    EXPECT_TRUE(equal(augment(source.rgb, source.ids, 64, kReferenceHe, config, 5),
                      augment(source.rgb, source.ids, 64, kReferenceHe, no_changes(), 5)));
}

TEST(AugmentTest, is_a_pure_function_of_its_seed) {
    const TrainingPatch source = coloured(64);
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        const auto make = [&] {
            return augment(source.rgb, source.ids, 48, kReferenceHe, AugmentConfig{}, seed);
        };
        const TrainingPatch a = make();
        EXPECT_TRUE(equal(a, make()));
        seen.emplace(a.rgb.data(), a.rgb.data() + 3 * a.rgb.size().area());
    }
    EXPECT_EQ(seen.size(), 20U);
}

TEST(AugmentTest, right_angles_and_flips_move_colours_and_ids_together) {
    const TrainingPatch source = coloured(32);
    for (uint64_t seed = 0; seed < 16; ++seed) {
        Random random(seed);
        const TrainingPatch patch = cut_patch(source.rgb, source.ids, 32, no_changes(), random);
        for (int64_t i = 0; i < patch.ids.size().area(); ++i) {
            // Red and green say where the pixel came from.
            const int x = (patch.rgb.data()[3 * i] - 60) * 32 / 120;
            const int y = (patch.rgb.data()[3 * i + 1] - 60) * 32 / 120;
            const bool well_inside = x > 9 && x < 14 && y > 11 && y < 14;
            if (well_inside) {
                EXPECT_EQ(patch.ids.data()[i], 7U) << seed;
            }
        }
    }
}

TEST(AugmentTest, pale_nuclei_come_near_their_surroundings_which_stay) {
    TrainingPatch source{RgbImage(64, 64), LabelImage(64, 64)};
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64; ++x) {
            const bool nucleus = std::hypot(x - 32, y - 32) < 14;
            source.ids(x, y) = nucleus ? 9 : 0;
            for (int c = 0; c < 3; ++c) source.rgb(x, y, c) = nucleus ? 80 : 200;
        }
    int pale_inside = 0, dark_rims = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        TrainingPatch patch = source;
        Random random(seed);
        make_nuclei_pale(patch, random);
        for (int64_t i = 0; i < patch.ids.size().area(); ++i)
            if (patch.ids.data()[i] == 0) {
                ASSERT_EQ(patch.rgb.data()[3 * i], 200) << seed;
            }
        const int middle = patch.rgb(32, 32, 1), rim = patch.rgb(32, 19, 1);  // green
        EXPECT_LE(middle, 200) << seed;
        pale_inside += middle > 100 ? 1 : 0;
        dark_rims += rim < 80 && middle > 100 ? 1 : 0;
    }
    // Most nuclei are changed, and about six in ten of those keep a rim.
    EXPECT_GT(pale_inside, 20);
    EXPECT_GT(dark_rims, 8);
    EXPECT_LT(dark_rims, pale_inside);
}

/// Two dark nuclei of 12 px amid light tissue.
TrainingPatch two_nuclei() {
    TrainingPatch patch{RgbImage(128, 128, 200), LabelImage(128, 128)};
    for (int y = 0; y < 128; ++y)
        for (int x = 0; x < 128; ++x)
            for (const uint32_t id : {1U, 2U})
                if (std::hypot(x - 40.0 * id, y - 64) < 6) {
                    patch.ids(x, y) = id;
                    for (int c = 0; c < 3; ++c) patch.rgb(x, y, c) = 80;
                }
    return patch;
}

TEST(AugmentTest, crowding_adds_whole_nuclei_that_touch_or_overlap_others) {
    int touching = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        TrainingPatch patch = two_nuclei();
        Random random(seed);
        crowd_nuclei(patch, random);
        const auto boxes = nucleus_boxes(patch.ids);
        for (const auto& [id, box] : boxes) {
            const int64_t cx = box.x + box.width / 2, cy = box.y + box.height / 2;
            EXPECT_NE(patch.ids(cx, cy), 0U) << seed;
            EXPECT_LT(patch.rgb(cx, cy, 0), 100) << "a nucleus without a picture, seed " << seed;
        }
        for (int64_t y = 1; y < 128; ++y)
            for (int64_t x = 1; x < 128; ++x) {
                const uint32_t here = patch.ids(x, y);
                const bool on_nucleus = here != 0;
                EXPECT_EQ(on_nucleus, patch.rgb(x, y, 0) < 140) << x << ", " << y << ": " << seed;
                for (const uint32_t other : {patch.ids(x - 1, y), patch.ids(x, y - 1)})
                    touching += on_nucleus && other != 0 && other != here;
            }
        EXPECT_GE(boxes.size(), 2U);
    }
    EXPECT_GT(touching, 300);
}

TEST(AugmentTest, crowding_leaves_a_patch_without_whole_nuclei_alone) {
    const TrainingPatch source = coloured(64);
    TrainingPatch empty{source.rgb, LabelImage(64, 64)}, cut = source;
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64; ++x) cut.ids(x, y) = x < 8 ? 3 : 0;
    for (const TrainingPatch& before : {empty, cut}) {
        TrainingPatch patch = before;
        Random random(5);
        crowd_nuclei(patch, random);
        EXPECT_TRUE(equal(patch, before));
    }
}

TEST(AugmentTest, some_nuclei_become_bluer_than_they_were) {
    int bluer = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        TrainingPatch patch{RgbImage(64, 64, 200), LabelImage(64, 64)};
        for (int y = 20; y < 44; ++y)
            for (int x = 20; x < 44; ++x) {
                patch.ids(x, y) = 1;
                for (int c = 0; c < 3; ++c) patch.rgb(x, y, c) = 80;
            }
        Random random(seed);
        make_nuclei_pale(patch, random);
        bluer += patch.rgb(32, 32, 2) > patch.rgb(32, 32, 0) + 20 ? 1 : 0;
    }
    EXPECT_GT(bluer, 4);
    EXPECT_LT(bluer, 32);
}

/// Standard deviation of a channel in the left half, where `noisy` has one colour but for noise.
double spread(const RgbImage& rgb, int channel) {
    double sum = 0, squares = 0;
    const double n = static_cast<double>(rgb.width() / 2 * rgb.height());
    for (int64_t y = 0; y < rgb.height(); ++y)
        for (int64_t x = 0; x < rgb.width() / 2; ++x) {
            sum += rgb(x, y, channel);
            squares += std::pow(rgb(x, y, channel), 2);
        }
    return std::sqrt(squares / n - std::pow(sum / n, 2));
}

/// Pink with a camera's noise; the right half dark.
RgbImage noisy() {
    Random random(11);
    RgbImage rgb(64, 64);
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64; ++x)
            for (int c = 0; c < 3; ++c)
                rgb(x, y, c) = static_cast<uint8_t>((x < 32 ? (c == 1 ? 110 : 170) : 60) +
                                                    std::lround(6 * random.normal()));
    return rgb;
}

TEST(AugmentTest, stains_that_lie_close_together_do_not_blow_up_noise) {
    // Vectors of an image without eosin: 4 degrees apart.
    const StainMatrix close{{{0.56, 0.72, 0.41}, {0.52, 0.72, 0.46}}};
    for (uint64_t seed = 0; seed < 20; ++seed) {
        RgbImage rgb = noisy();
        Random random(seed);
        change_stains(rgb, close, random);
        for (int c = 0; c < 3; ++c) EXPECT_LT(spread(rgb, c), 13) << seed << ' ' << c;
    }
}

TEST(AugmentTest, noise_is_taken_away_and_edges_stay) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
        RgbImage rgb = noisy();
        const RgbImage before = rgb;
        Random random(seed);
        remove_noise(rgb, random);
        EXPECT_LT(spread(rgb, 0), 0.9 * spread(before, 0)) << seed;
        EXPECT_GT(rgb(28, 32, 0) - rgb(36, 32, 0), 80) << seed;
    }
}

TEST(AugmentTest, distractors_lie_between_nuclei_and_never_on_them) {
    TrainingPatch source{RgbImage(96, 96, 220), LabelImage(96, 96)};
    for (int y = 30; y < 60; ++y)
        for (int x = 30; x < 60; ++x) source.ids(x, y) = 5;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        TrainingPatch patch = source;
        Random random(seed);
        add_distractors(patch, random);
        int64_t changed = 0;
        for (int64_t i = 0; i < patch.ids.size().area(); ++i) {
            const bool same = patch.rgb.data()[3 * i + 1] == 220;
            ASSERT_EQ(patch.ids.data()[i], source.ids.data()[i]) << seed;
            ASSERT_TRUE(same || patch.ids.data()[i] == 0) << seed;
            changed += same ? 0 : 1;
        }
        EXPECT_LT(changed, patch.ids.size().area()) << seed;
        if (seed < 5) {
            EXPECT_GT(changed, 0) << seed;
        }
    }
}

TEST(AugmentTest, every_colour_change_changes_colours_and_keeps_white_tissue_in_range) {
    const TrainingPatch source = coloured(32);
    const auto changed = [&](auto change) {
        TrainingPatch patch = source;
        Random random(3);
        change(patch.rgb, random);
        return !equal(patch, source);
    };
    EXPECT_TRUE(changed(change_gamma));
    EXPECT_TRUE(changed(change_intensity));
    EXPECT_TRUE(changed(change_exposure));
    EXPECT_TRUE(changed(sharpen));
    EXPECT_TRUE(changed(equalise_locally));
    EXPECT_TRUE(changed([](RgbImage& rgb, Random& random) { add_noise(rgb, 0.03, random); }));
    EXPECT_TRUE(changed(remove_noise));
    EXPECT_TRUE(changed(blur));
    EXPECT_TRUE(
        changed([](RgbImage& rgb, Random& random) { change_stains(rgb, kReferenceHe, random); }));
}

TEST(AugmentTest, exposure_brightens_a_dim_picture_up_to_white_and_not_far_beyond) {
    RgbImage dim(8, 8, 120), bright(8, 8, 240);
    int brightest = 0, saturated = 0;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        Random one(seed), other(seed);
        RgbImage a = dim, b = bright;
        change_exposure(a, one);
        change_exposure(b, other);
        brightest = std::max<int>(brightest, a(0, 0, 0));
        saturated += b(0, 0, 0) == 255;
    }
    EXPECT_GT(brightest, 220);
    EXPECT_LT(saturated, 150);
}

TEST(AugmentTest, centre_patch_reflects_what_lies_outside) {
    const TrainingPatch source = coloured(16);
    const TrainingPatch patch = centre_patch(source.rgb, source.ids, 20);
    EXPECT_EQ(patch.rgb(2, 2, 0), source.rgb(0, 0, 0));
    EXPECT_EQ(patch.rgb(1, 2, 0), source.rgb(1, 0, 0));
    EXPECT_EQ(patch.rgb(19, 2, 0), source.rgb(13, 0, 0));
}

TEST(NucleusTargetsTest, distance_is_one_in_the_middle_and_falls_to_the_border) {
    LabelImage ids(20, 20);
    for (int y = 5; y < 12; ++y)
        for (int x = 4; x < 11; ++x) ids(x, y) = x < 7 ? 3 : 9;  // two that touch
    const NucleusTargets targets = nucleus_targets(ids);
    EXPECT_FLOAT_EQ(targets.distance(5, 8), 1.0F);  // middle of the narrow one
    EXPECT_FLOAT_EQ(targets.distance(6, 8), 0.5F);  // beside the other nucleus
    EXPECT_FLOAT_EQ(targets.distance(7, 8), 0.5F);
    EXPECT_FLOAT_EQ(targets.distance(3, 8), 0.0F);
    EXPECT_EQ(targets.nucleus(4, 5), 1);
    EXPECT_EQ(targets.nucleus(4, 4), 0);
}

}  // namespace wsi
