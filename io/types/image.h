#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "config/error.h"
#include "io/types/geometry.h"

namespace wsi {

/// A strided window on interleaved pixels [height, width, channels], owned elsewhere. A parameter
/// or a local, never a member of something that outlives a call.
template <class T, int Channels = 1>
struct ImageView {
    static constexpr int kChannels = Channels;
    T* data = nullptr;
    int64_t width = 0, height = 0;
    int64_t stride = 0;  ///< elements (not bytes) from one row to the next

    T* row(int64_t y) const { return data + y * stride; }
    T* at(int64_t x, int64_t y) const { return row(y) + x * Channels; }
    T& operator()(int64_t x, int64_t y, int c = 0) const { return row(y)[x * Channels + c]; }
    bool empty() const { return width <= 0 || height <= 0; }
    PixelSize size() const { return {width, height}; }

    /// The part at (x, y); it must lie inside.
    ImageView crop(const PixelRect& rect) const {
        WSI_CHECK((PixelRect{0, 0, width, height}.contains(rect)), rect.x, ",", rect.y, " ",
                  rect.width, "x", rect.height, " in ", width, "x", height);
        return {at(rect.x, rect.y), rect.width, rect.height, stride};
    }
    operator ImageView<const T, Channels>() const requires(!std::is_const_v<T>) {
        return {data, width, height, stride};
    }
};

/// Owner of contiguous interleaved pixels. resize() keeps its allocation, so that a recycled image
/// does not touch the allocator.
template <class T, int Channels = 1>
class Image {
public:
    Image() = default;
    Image(int64_t width, int64_t height, T value = T{}) {
        resize(width, height);
        fill(value);
    }

    /// Contents are unspecified afterwards.
    void resize(int64_t width, int64_t height) {
        width_ = width;
        height_ = height;
        const auto count = static_cast<size_t>(width * height * Channels);
        if (pixels_.size() < count) pixels_.resize(count);
    }
    void fill(T value) { std::fill_n(pixels_.data(), width_ * height_ * Channels, value); }
    void release() { *this = Image(); }

    int64_t width() const { return width_; }
    int64_t height() const { return height_; }
    PixelSize size() const { return {width_, height_}; }
    bool empty() const { return width_ <= 0 || height_ <= 0; }
    T* data() { return pixels_.data(); }
    const T* data() const { return pixels_.data(); }
    T& operator()(int64_t x, int64_t y, int c = 0) {
        return pixels_[static_cast<size_t>((y * width_ + x) * Channels + c)];
    }
    const T& operator()(int64_t x, int64_t y, int c = 0) const {
        return pixels_[static_cast<size_t>((y * width_ + x) * Channels + c)];
    }
    ImageView<T, Channels> view() { return {data(), width_, height_, width_ * Channels}; }
    ImageView<const T, Channels> view() const {
        return {data(), width_, height_, width_ * Channels};
    }
    operator ImageView<T, Channels>() { return view(); }
    operator ImageView<const T, Channels>() const { return view(); }

private:
    int64_t width_ = 0, height_ = 0;
    std::vector<T> pixels_;
};

using RgbView = ImageView<uint8_t, 3>;
using ConstRgbView = ImageView<const uint8_t, 3>;
using RgbImage = Image<uint8_t, 3>;
using GrayView = ImageView<uint8_t, 1>;
using ConstGrayView = ImageView<const uint8_t, 1>;
using GrayImage = Image<uint8_t, 1>;

/// Row by row; both of one size, not overlapping.
template <class T, int C>
void copy_pixels(ImageView<const T, C> from, ImageView<T, C> to) {
    WSI_CHECK(from.size() == to.size());
    for (int64_t y = 0; y < from.height; ++y)
        std::memcpy(to.row(y), from.row(y), static_cast<size_t>(from.width * C) * sizeof(T));
}

}  // namespace wsi
