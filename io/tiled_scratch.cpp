#include "io/tiled_scratch.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

namespace wsi {

namespace fs = std::filesystem;

namespace {
constexpr int64_t kRowBytes = TiledScratch::kTileSide * 3;  // of a tile, also of a cut one
}

TiledScratch::TiledScratch(PixelSize size, const std::string& folder, const std::string& owner)
    : size_(size), columns_(ceil_div(size.width, kTileSide)), folder_(folder), owner_(owner) {
    std::error_code ignored;  // mkstemp says what is wrong
    fs::create_directories(folder, ignored);
    std::string name = (fs::path(folder) / "scratch-XXXXXX").string();
    file_ = ::mkstemp(name.data());
    if (file_ < 0) refuse("create");
    ::unlink(name.c_str());
}

TiledScratch::~TiledScratch() { ::close(file_); }

void TiledScratch::refuse(const char* what) const {
    const char* why = std::strerror(errno);
    fail(ErrorKind::Output, "cannot ", what, " a scratch file in ", folder_, " for the ",
         size_.area() * 3 >> 20, " MiB of pixels of ", owner_, ": ", why,
         "; free disk space there, or choose another folder: that of the result, or TMPDIR for "
         "commands without one");
}

int64_t TiledScratch::offset_of(int64_t column, int64_t y) const {
    const int64_t tile = y / kTileSide * columns_ + column;
    return (tile * kTileSide + y % kTileSide) * kRowBytes;
}

void TiledScratch::write(const uint8_t* bytes, size_t count, int64_t offset) const {
    while (count > 0) {
        const ssize_t written = ::pwrite(file_, bytes, count, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) refuse("write");
        bytes += written;
        count -= static_cast<size_t>(written);
        offset += written;
    }
}

void TiledScratch::write_rows(int64_t y, ConstRgbView rows) {
    WSI_CHECK(rows.width == size_.width && y >= 0 && y + rows.height <= size_.height);
    RgbImage piece(kTileSide, std::min(kTileSide, rows.height), 255);
    for (int64_t done = 0; done < rows.height;) {
        // Rows of one tile lie one after the other: one call for as many as this band has.
        const int64_t count = std::min(rows.height - done, kTileSide - (y + done) % kTileSide);
        for (int64_t column = 0; column < columns_; ++column) {
            const int64_t x = column * kTileSide, width = std::min(kTileSide, size_.width - x);
            copy_pixels(rows.crop({x, done, width, count}),
                        piece.view().crop({0, 0, width, count}));
            write(piece.data(), static_cast<size_t>(count * kRowBytes),
                  offset_of(column, y + done));
        }
        done += count;
    }
}

std::optional<std::string> TiledScratch::read(const PixelRect& rect, RgbView out) const {
    thread_local RgbImage piece;
    for (int64_t y = rect.y; y < rect.bottom();) {
        const int64_t count = std::min(rect.bottom() - y, kTileSide - y % kTileSide);
        piece.resize(kTileSide, count);
        for (int64_t column = rect.x / kTileSide; column * kTileSide < rect.right(); ++column) {
            const auto bytes = static_cast<size_t>(count * kRowBytes);
            if (::pread(file_, piece.data(), bytes, offset_of(column, y)) !=
                static_cast<ssize_t>(bytes))
                return "the scratch file in " + folder_ + " cannot be read back";
            const PixelRect tile{column * kTileSide, y, kTileSide, count};
            const PixelRect part = intersection(rect, tile);
            copy_pixels(ConstRgbView(piece.view().crop(part.moved(-tile.x, -tile.y))),
                        out.crop(part.moved(-rect.x, -rect.y)));
        }
        y += count;
    }
    return std::nullopt;
}

}  // namespace wsi
