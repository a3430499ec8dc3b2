#include "model/blueness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace wsi {
namespace {

using Rgb = std::array<uint8_t, 3>;

RgbImage plain(Rgb colour, int64_t side = 40) {
    RgbImage image(side, side);
    for (int64_t i = 0; i < image.size().area(); ++i)
        std::copy_n(colour.data(), 3, image.data() + 3 * i);
    return image;
}

int blueness_of(Rgb colour) {
    Blueness blueness;
    blueness.measure(plain(colour).view(), 2);
    return blueness.at(20, 20);
}

TEST(BluenessTest, is_the_formula_in_the_header) {
    for (const Rgb c : {Rgb{90, 70, 140}, Rgb{190, 70, 80}, Rgb{225, 170, 205}, Rgb{1, 200, 3}}) {
        double od[3];
        for (size_t k = 0; k < 3; ++k)
            od[k] = std::min(-std::log((c[k] + 1) / 256.0), 4095 / 1024.0);
        EXPECT_NEAR(blueness_of(c) / double{kBluenessUnit},
                    (od[0] - od[2]) / (od[0] + od[1] + od[2] + 0.3), 0.003)
            << int{c[0]};
    }
}

TEST(BluenessTest, ranks_haematoxylin_above_eosin_above_red_cells_and_soot) {
    const int nucleus = blueness_of({90, 70, 140}), pink = blueness_of({225, 170, 205});
    EXPECT_GT(nucleus, pink);
    EXPECT_GT(pink, blueness_of({190, 70, 60}));
    EXPECT_GT(pink, blueness_of({75, 48, 40}));
    EXPECT_EQ(blueness_of({255, 255, 255}), 0);
}

TEST(BluenessTest, a_square_reaches_its_radius_and_no_farther) {
    RgbImage image = plain({255, 255, 255});
    std::copy_n(Rgb{20, 20, 200}.data(), 3, image.view().at(10, 10));
    Blueness blueness;
    blueness.measure(image.view(), 3);
    EXPECT_GT(blueness.at(13, 13), 0);
    EXPECT_EQ(blueness.at(14, 10), 0);
    EXPECT_EQ(blueness.at(10, 6), 0);
}

TEST(BluenessTest, the_median_is_of_stained_pixels_alone) {
    constexpr Rgb kPink{225, 150, 205};
    std::vector<RgbImage> patches{plain(kPink), plain({250, 250, 250}), plain({250, 250, 250})};
    EXPECT_EQ(median_blueness(patches, 2), blueness_of(kPink));
    patches[0] = plain(kPink, 31);  // 961 pixels
    EXPECT_EQ(median_blueness(patches, 2), kLeastBlueness);
    EXPECT_EQ(median_blueness({}, 2), kLeastBlueness);
}

}  // namespace
}  // namespace wsi
