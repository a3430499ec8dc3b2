#pragma once

#include <optional>
#include <string>

#include "io/types/image.h"

namespace wsi {

/// RGB pixels of one large image in an unnamed file: square tiles, each stored in one piece, so
/// that a small rectangle touches few pages of the disk. The file has no name from the start, so it
/// goes when it is closed, however the process ends.
class TiledScratch {
public:
    static constexpr int64_t kTileSide = 512;

    /// `folder` is made when it is not there. Throws Error{Output}, naming `owner`, the image
    /// whose pixels these are.
    TiledScratch(PixelSize size, const std::string& folder, const std::string& owner);
    TiledScratch(const TiledScratch&) = delete;
    TiledScratch& operator=(const TiledScratch&) = delete;
    ~TiledScratch();

    /// Rows of the image's whole width, the first at y; any number of them, in any order.
    /// Throws Error{Output} when they cannot be written.
    void write_rows(int64_t y, ConstRgbView rows);

    /// `rect` lies inside the image and was written; out: of its size. Thread-safe. Returns why,
    /// when it cannot be read back (`out` is unspecified then).
    std::optional<std::string> read(const PixelRect& rect, RgbView out) const;

private:
    /// Bytes before row y, y in pixels of the image, of a tile.
    int64_t offset_of(int64_t column, int64_t y) const;
    void write(const uint8_t* bytes, size_t count, int64_t offset) const;
    [[noreturn]] void refuse(const char* what) const;

    const PixelSize size_;
    const int64_t columns_;
    const std::string folder_, owner_;
    int file_ = -1;
};

}  // namespace wsi
