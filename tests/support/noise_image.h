#pragma once

#include "io/types/image.h"
#include "io/types/random.h"

namespace wsi::test {

/// Every byte drawn by itself.
inline RgbImage noise_image(int64_t side, uint64_t seed) {
    RgbImage image(side, side);
    Random random(seed);
    for (int64_t i = 0; i < 3 * image.size().area(); ++i)
        image.data()[i] = static_cast<uint8_t>(random.index(256));
    return image;
}

}  // namespace wsi::test
