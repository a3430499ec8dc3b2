#include "stages/principal_axes.h"

#include <gtest/gtest.h>

namespace wsi {

TEST(PrincipalAxesTest, places_of_points_in_a_plane_are_their_own_up_to_turning) {
    // Along (3, 4, 0) / 5 by ±10 and ±5, along (0, 0, 1) by ±1; mean (7, 7, 7).
    std::vector<std::vector<float>> vectors;
    std::vector<std::array<double, 2>> expected;
    for (const double a : {-10.0, -5.0, 5.0, 10.0})
        for (const double b : {-1.0, 1.0}) {
            vectors.push_back({static_cast<float>(7 + 0.6 * a), static_cast<float>(7 + 0.8 * a),
                               static_cast<float>(7 + b)});
            expected.push_back({a, b});
        }
    const auto places = principal_places(vectors);
    // A sign of an axis is free: that of its largest value is positive.
    const double first = places[0][0] * expected[0][0] > 0 ? 1 : -1;
    const double second = places[0][1] * expected[0][1] > 0 ? 1 : -1;
    for (size_t i = 0; i < places.size(); ++i) {
        EXPECT_NEAR(places[i][0], first * expected[i][0], 1e-5) << i;
        EXPECT_NEAR(places[i][1], second * expected[i][1], 1e-5) << i;
    }
    EXPECT_EQ(principal_places({{1, 2}}).front(), (std::array<double, 2>{0, 0}));
    EXPECT_EQ(principal_places({{1, 2}, {1, 2}}).front(), (std::array<double, 2>{0, 0}));
}

}  // namespace wsi
