#include "stages/stain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "stages/stain_macenko.h"

namespace wsi {
namespace {

/// Pixels mixed from two stains with given vectors; concentrations drawn at random.
std::vector<uint8_t> mix(const StainMatrix& w, double most_h, double most_e, size_t n,
                         uint32_t seed = 1) {
    std::mt19937 random(seed);
    const auto uniform = [&] { return static_cast<double>(random() >> 5) * 0x1p-27; };
    std::vector<uint8_t> rgb;
    for (size_t i = 0; i < n; ++i) {
        // A third of either alone, a third of both, as nuclei, stroma and cytoplasm give them.
        const double h = i % 3 == 0 ? 0 : most_h * uniform();
        const double e = i % 3 == 1 ? 0 : most_e * uniform();
        for (size_t k = 0; k < 3; ++k)
            rgb.push_back(static_cast<uint8_t>(
                std::clamp(kWhiteLevel * std::exp(-(w[0][k] * h + w[1][k] * e)) - 1, 0.0, 255.0)));
    }
    return rgb;
}

double degrees(const std::array<double, 3>& a, const std::array<double, 3>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t k = 0; k < 3; ++k) {
        ab += a[k] * b[k];
        aa += a[k] * a[k];
        bb += b[k] * b[k];
    }
    return std::acos(std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0)) * 180 / std::numbers::pi;
}

constexpr StainMatrix kRuifrok{{{0.650, 0.704, 0.286}, {0.072, 0.990, 0.105}}};

TEST(MacenkoTest, recovers_the_vectors_of_a_mixture) {
    // Pixels must reach OD 0.15 in every channel to count, so the eosin must absorb some red.
    const StainFit fit = fit_stain(mix(kReferenceHe, 3, 2, 200000), StainConfig{});
    ASSERT_TRUE(fit.fitted) << fit.reason;
    EXPECT_LT(degrees(fit.matrix[0], kReferenceHe[0]), 1);
    EXPECT_LT(degrees(fit.matrix[1], kReferenceHe[1]), 1);
    EXPECT_GT(fit.matrix[0][0], fit.matrix[1][0]);  // haematoxylin absorbs more red
}

TEST(MacenkoTest, odd_colours_fall_back_to_the_reference_with_a_reason) {
    const auto constant = [](uint8_t r, uint8_t g, uint8_t b) {
        std::vector<uint8_t> rgb;
        for (int i = 0; i < 5000; ++i) rgb.insert(rgb.end(), {r, g, b});
        return rgb;
    };
    for (const auto& rgb :
         {std::vector<uint8_t>{}, constant(255, 255, 255), constant(0, 0, 0),
          constant(120, 60, 140), mix({{kRuifrok[0], kRuifrok[0]}}, 2, 0, 20000)}) {
        const StainFit fit = fit_stain(rgb, StainConfig{});
        EXPECT_FALSE(fit.fitted);
        EXPECT_FALSE(fit.reason.empty());
        EXPECT_LT(degrees(fit.matrix[0], kReferenceHe[0]), 1e-3);
    }
}

TEST(NormaliserTest, follows_the_definition_to_one_grey_level) {
    const auto rgb = mix(kRuifrok, 2.5, 1, 40000);
    const StainFit fit = fit_stain(rgb, StainConfig{});
    ASSERT_TRUE(fit.fitted);
    RgbImage in(200, 200), out(200, 200);
    std::copy(rgb.begin(), rgb.begin() + 200 * 200 * 3, in.data());
    const StainNormaliser normalise(fit, StainSet::He);
    normalise(in.view(), out.view());
    const auto inverse = stain::unmixing(fit.matrix);
    for (int64_t i = 0; i < 200 * 200; ++i) {
        double c[2] = {0, 0};
        for (size_t s = 0; s < 2; ++s)
            for (size_t k = 0; k < 3; ++k)
                c[s] += inverse[s][k] *
                        stain::optical_density(in.data()[3 * i + static_cast<int64_t>(k)]);
        for (size_t k = 0; k < 3; ++k) {
            double od = 0;
            for (size_t s = 0; s < 2; ++s)
                od += kReferenceHe[s][k] * c[s] * kReferenceMaxConcentration[s] /
                      fit.max_concentration[s];
            const double expected = std::min(255.0, kWhiteLevel * std::exp(-od));
            ASSERT_NEAR(out.data()[3 * i + static_cast<int64_t>(k)], expected, 1.01);
        }
    }
}

TEST(NormaliserTest, twice_is_as_good_as_once_and_in_place_works) {
    const auto rgb = mix(kRuifrok, 2.5, 1, 40000);
    RgbImage image(200, 200);
    std::copy(rgb.begin(), rgb.begin() + 200 * 200 * 3, image.data());
    const StainNormaliser first(fit_stain(rgb, StainConfig{}), StainSet::He);
    first(image.view(), image.view());
    const std::vector<uint8_t> once(image.data(), image.data() + 200 * 200 * 3);
    const StainNormaliser second(fit_stain(once, StainConfig{}), StainSet::He);
    second(image.view(), image.view());
    double change = 0;
    for (size_t i = 0; i < once.size(); ++i) change += std::abs(image.data()[i] - once[i]);
    EXPECT_LT(change / static_cast<double>(once.size()), 3);
}

TEST(NormaliserTest, no_fit_and_other_stains_leave_colours_alone) {
    RgbImage in(300, 3, 77), out(300, 3, 0);
    StainFit fit;
    fit.method = StainMethod::Macenko;
    StainNormaliser(fit, StainSet::He)(in.view(), out.view());
    EXPECT_EQ(out(299, 2, 1), 77);
    fit.fitted = true;
    out.fill(0);
    StainNormaliser(fit, StainSet::Hdab)(in.view(), out.view());
    EXPECT_EQ(out(150, 1, 2), 77);
}

TEST(ReinhardTest, brings_mean_and_spread_of_two_slides_together) {
    StainConfig config;
    config.method = StainMethod::Reinhard;
    const auto pale = mix(kRuifrok, 1.2, 0.6, 20000, 1), dark = mix(kRuifrok, 3.5, 1.5, 20000, 2);
    double means[2];
    int i = 0;
    for (const auto& rgb : {pale, dark}) {
        RgbImage image(100, 200);
        std::copy(rgb.begin(), rgb.end(), image.data());
        StainNormaliser(fit_stain(rgb, config), StainSet::He)(image.view(), image.view());
        double sum = 0;
        for (int k = 0; k < 100 * 200 * 3; ++k) sum += image.data()[k];
        means[i++] = sum / (100 * 200 * 3);
    }
    EXPECT_NEAR(means[0], means[1], 6);
}

TEST(DeconvolverTest, gives_back_the_concentrations) {
    const Deconvolver deconvolve(kRuifrok);
    for (const double h : {0.0, 0.3, 1.1})
        for (const double e : {0.0, 0.5}) {
            uint8_t rgb[3];
            for (size_t k = 0; k < 3; ++k)
                rgb[k] = static_cast<uint8_t>(std::lround(std::clamp(
                    kWhiteLevel * std::exp(-(kRuifrok[0][k] * h + kRuifrok[1][k] * e)) - 1, 0.0,
                    255.0)));
            const auto c = deconvolve(rgb);
            EXPECT_NEAR(c[0], h, 0.03);
            EXPECT_NEAR(c[1], e, 0.03);
        }
}

TEST(PercentileTest, interpolates_as_numpy_does) {
    std::vector<double> v{5, 1, 4, 2, 3};
    EXPECT_DOUBLE_EQ(stain::percentile(v, 0), 1);
    EXPECT_DOUBLE_EQ(stain::percentile(v, 100), 5);
    EXPECT_DOUBLE_EQ(stain::percentile(v, 10), 1.4);
    std::vector<double> one{7};
    EXPECT_DOUBLE_EQ(stain::percentile(one, 99), 7);
}

TEST(EigenTest, diagonalises_a_symmetric_matrix) {
    const auto e = stain::symmetric_eigen({{{4, 1, 0.5}, {1, 3, 0.2}, {0.5, 0.2, 1}}});
    EXPECT_NEAR(e.values[0] + e.values[1] + e.values[2], 8, 1e-12);
    for (size_t i = 0; i < 3; ++i) {
        const auto& v = e.vectors[i];
        EXPECT_NEAR(4 * v[0] + v[1] + 0.5 * v[2], e.values[i] * v[0], 1e-10);
    }
}

}  // namespace
}  // namespace wsi
