#pragma once

#include "io/types/image.h"

namespace wsi {

/// What Pillow's Image.resize(…, BILINEAR) gives for 8-bit RGB, byte for byte: a triangle filter
/// that widens when shrinking, columns first, each pass rounded to 8 bit (Pillow 8–13,
/// libImaging/Resample.c). Encoders were trained on images resized that way.
void pillow_resize_bilinear(ConstRgbView in, int64_t width, int64_t height, RgbImage& out);

}  // namespace wsi
