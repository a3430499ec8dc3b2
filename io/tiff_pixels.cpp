#include "io/tiff_pixels.h"

#include <tiffio.h>

#include <algorithm>
#include <array>

#include "config/error.h"

namespace wsi {

namespace {

constexpr int64_t kMostTileSide = 4096;
constexpr std::array<int, 5> kCompressions{COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_JPEG,
                                           COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE};

/// Errors and warnings alike; the message is for nobody.
int note_trouble(TIFF*, void* trouble, const char*, const char*, va_list) {
    *static_cast<bool*>(trouble) = true;
    return 1;
}

uint32_t tag(TIFF* tiff, uint32_t which) {
    uint32_t value = 0;
    return TIFFGetField(tiff, which, &value) ? value : 0;
}

uint16_t short_tag(TIFF* tiff, uint32_t which) {
    uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff, which, &value) ? value : uint16_t{0};
}

bool is_plain_rgb(TIFF* tiff) {
    const uint16_t compression = short_tag(tiff, TIFFTAG_COMPRESSION),
                   colours = short_tag(tiff, TIFFTAG_PHOTOMETRIC);
    return TIFFIsTiled(tiff) && std::ranges::count(kCompressions, compression) > 0 &&
           (colours == PHOTOMETRIC_RGB ||
            (colours == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG)) &&
           short_tag(tiff, TIFFTAG_BITSPERSAMPLE) == 8 &&
           short_tag(tiff, TIFFTAG_SAMPLESPERPIXEL) == 3 &&
           short_tag(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG;
}

}  // namespace

/// One directory of the file, for one thread at a time.
class TiffPixels::Reader {
public:
    explicit Reader(const std::string& path) {
        TIFFOpenOptions* const options = TIFFOpenOptionsAlloc();
        TIFFOpenOptionsSetErrorHandlerExtR(options, note_trouble, &trouble_);
        TIFFOpenOptionsSetWarningHandlerExtR(options, note_trouble, &trouble_);
        // m: not mapped into memory. O: of a long list of tiles only what is asked for is read.
        tiff_.reset(TIFFOpenExt(path.c_str(), "rmO", options));
        TIFFOpenOptionsFree(options);
    }
    TIFF* tiff() { return tiff_.get(); }

    /// False when the directory cannot be read. Warnings about its tags are no harm.
    bool go_to(uint32_t directory) {
        if (!tiff_ || !TIFFSetDirectory(tiff_.get(), static_cast<tdir_t>(directory))) return false;
        if (short_tag(tiff_.get(), TIFFTAG_COMPRESSION) == COMPRESSION_JPEG)
            TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        pixels_.resize(static_cast<size_t>(std::max<tmsize_t>(0, TIFFTileSize(tiff_.get()))));
        return !pixels_.empty();
    }

    /// RGB of the tile at this pixel, tile.area() of them; nullptr when anything is wrong.
    const uint8_t* decode(int64_t x, int64_t y, PixelSize tile) {
        trouble_ = false;
        const auto size = static_cast<tmsize_t>(pixels_.size());
        if (size != 3 * tile.area()) return nullptr;
        const uint32_t number =
            TIFFComputeTile(tiff_.get(), static_cast<uint32_t>(x), static_cast<uint32_t>(y), 0, 0);
        if (TIFFGetStrileByteCount(tiff_.get(), number) == 0) return nullptr;
        const bool whole = TIFFReadEncodedTile(tiff_.get(), number, pixels_.data(), size) == size;
        return whole && !trouble_ ? pixels_.data() : nullptr;
    }

private:
    struct Close {
        void operator()(TIFF* tiff) const { TIFFClose(tiff); }
    };
    bool trouble_ = false;
    std::unique_ptr<TIFF, Close> tiff_;
    std::vector<uint8_t> pixels_;
};

TiffPixels::TiffPixels(const std::string& path, const std::string& vendor,
                       std::span<const SlideLevel> levels)
    : path_(path) {
    levels_.resize(levels.size());
    if (vendor != "aperio" && vendor != "generic-tiff") return;
    Reader reader(path);
    if (reader.tiff() == nullptr) return;
    std::vector<int> images(levels.size());  // of the size of each level
    do {
        const PixelSize size{tag(reader.tiff(), TIFFTAG_IMAGEWIDTH),
                             tag(reader.tiff(), TIFFTAG_IMAGELENGTH)},
            tile{tag(reader.tiff(), TIFFTAG_TILEWIDTH), tag(reader.tiff(), TIFFTAG_TILELENGTH)};
        for (size_t i = 0; i < levels.size(); ++i) {
            if (levels[i].size != size || ++images[i] > 1) continue;
            if (levels[i].tile != tile || tile.width > kMostTileSide ||
                tile.height > kMostTileSide || !is_plain_rgb(reader.tiff()))
                continue;
            levels_[i] = std::make_unique<Level>();
            levels_[i]->directory = static_cast<uint32_t>(TIFFCurrentDirectory(reader.tiff()));
            levels_[i]->tile = tile;
        }
    } while (TIFFReadDirectory(reader.tiff()));
    for (size_t i = 0; i < levels.size(); ++i)
        if (images[i] > 1) levels_[i].reset();
}

TiffPixels::~TiffPixels() = default;

bool TiffPixels::read(int level, const PixelRect& rect_lvl, RgbView out) const {
    Level* const known = levels_.at(static_cast<size_t>(level)).get();
    if (known == nullptr) return false;
    auto reader = known->readers.borrow([&]() -> std::unique_ptr<Reader> {
        auto fresh = std::make_unique<Reader>(path_);
        return fresh->go_to(known->directory) ? std::move(fresh) : nullptr;
    });
    if (!reader) return false;
    const auto [width, height] = known->tile;
    for (int64_t y = rect_lvl.y / height * height; y < rect_lvl.bottom(); y += height)
        for (int64_t x = rect_lvl.x / width * width; x < rect_lvl.right(); x += width) {
            const uint8_t* const pixels = reader->decode(x, y, known->tile);
            if (pixels == nullptr) return false;  // the reader goes: it may be in any state
            const PixelRect part = intersection(rect_lvl, {x, y, width, height});
            copy_pixels(ConstRgbView{pixels, width, height, 3 * width}.crop(part.moved(-x, -y)),
                        out.crop(part.moved(-rect_lvl.x, -rect_lvl.y)));
        }
    known->readers.give_back(std::move(reader));
    return true;
}

}  // namespace wsi
