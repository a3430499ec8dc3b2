#include "stages/ink.h"

#include <gtest/gtest.h>

#include <array>

namespace wsi {
namespace {

using Rgb = std::array<uint8_t, 3>;

TEST(InkTest, pen_and_soot_are_ink) {
    for (const Rgb c : {Rgb{40, 150, 60}, Rgb{20, 60, 170}, Rgb{20, 20, 22}, Rgb{52, 37, 44}})
        EXPECT_TRUE(is_ink(c.data())) << int{c[0]} << "," << int{c[1]} << "," << int{c[2]};
}

TEST(InkTest, stains_and_glass_are_none) {
    for (const Rgb c : {Rgb{90, 70, 140}, Rgb{45, 20, 80}, Rgb{225, 170, 205}, Rgb{190, 70, 60},
                        Rgb{90, 50, 30}, Rgb{50, 25, 15}, Rgb{243, 243, 243}, Rgb{226, 236, 240}})
        EXPECT_FALSE(is_ink(c.data())) << int{c[0]} << "," << int{c[1]} << "," << int{c[2]};
}

}  // namespace
}  // namespace wsi
