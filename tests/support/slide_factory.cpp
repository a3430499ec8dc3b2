#include "tests/support/slide_factory.h"

#include <tiffio.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <sstream>

namespace wsi::test {

namespace {

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff create(const std::string& path, bool big) {
    Tiff tiff(TIFFOpen(path.c_str(), big ? "w8" : "w"), &TIFFClose);
    WSI_CHECK(tiff != nullptr, path);
    return tiff;
}

void set_tags(TIFF* tiff, PixelSize size, int tile_px, int jpeg_quality) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<uint32_t>(size.width));
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<uint32_t>(size.height));
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, tile_px);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, tile_px);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    if (jpeg_quality > 0) {
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_YCBCR);
        TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, jpeg_quality);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    } else {
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    }
}

/// Mean over squares of `factor` level-0 pixels.
void fill_level(const PixelSource& source, const PixelRect& rect_lvl, int factor, RgbView out) {
    if (factor == 1) return source(rect_lvl, out);
    RgbImage fine(rect_lvl.width * factor, rect_lvl.height * factor);
    source({rect_lvl.x * factor, rect_lvl.y * factor, fine.width(), fine.height()}, fine);
    for (int64_t y = 0; y < out.height; ++y)
        for (int64_t x = 0; x < out.width; ++x)
            for (int c = 0; c < 3; ++c) {
                int sum = 0;
                for (int dy = 0; dy < factor; ++dy)
                    for (int dx = 0; dx < factor; ++dx)
                        sum += fine(x * factor + dx, y * factor + dy, c);
                out(x, y, c) =
                    static_cast<uint8_t>((sum + factor * factor / 2) / (factor * factor));
            }
}

void copy_tile(TIFF* tiff, uint32_t from, uint32_t to, std::vector<uint8_t>& bytes) {
    bytes.resize(TIFFGetStrileByteCount(tiff, from));
    const auto size = static_cast<tmsize_t>(bytes.size());
    WSI_CHECK(TIFFReadRawTile(tiff, from, bytes.data(), size) == size);
    WSI_CHECK(TIFFWriteRawTile(tiff, to, bytes.data(), size) == size);
}

struct TileOptions {
    std::set<int64_t> missing, corrupt;
    int64_t period_tiles = INT64_MAX;  ///< a tile that far away holds the same pixels
};

void write_tiles(TIFF* tiff, PixelSize size, int tile_px,
                 const std::function<void(const PixelRect&, RgbView)>& fill,
                 const TileOptions& options) {
    const auto& [missing, corrupt, period] = options;
    const int64_t columns = (size.width + tile_px - 1) / tile_px;
    RgbImage tile(tile_px, tile_px);
    std::vector<uint8_t> bytes;
    int64_t index = 0;
    for (int64_t y = 0; y < size.height; y += tile_px)
        for (int64_t x = 0; x < size.width; x += tile_px, ++index) {
            const auto number = static_cast<uint32_t>(index);
            if (missing.contains(index)) continue;
            const int64_t first = y / tile_px % period * columns + x / tile_px % period;
            if (first < index) {
                copy_tile(tiff, static_cast<uint32_t>(first), number, bytes);
                continue;
            }
            if (corrupt.contains(index)) {
                std::string junk = "this is not an image";
                TIFFWriteRawTile(tiff, number, junk.data(), std::ssize(junk));
                continue;
            }
            fill({x, y, tile_px, tile_px}, tile);
            WSI_CHECK(TIFFWriteEncodedTile(tiff, number, tile.data(), tile_px * tile_px * 3) >= 0);
        }
}

void write_pyramid(const std::string& path, const SlideOptions& o, const PixelSource& source,
                   const std::function<void(TIFF*, PixelSize)>& describe) {
    const Tiff tiff = create(path, o.size.area() > 400'000'000);
    for (const int factor : o.downsamples) {
        const PixelSize size{o.size.width / factor, o.size.height / factor};
        set_tags(tiff.get(), size, o.tile_px, o.jpeg_quality);
        describe(tiff.get(), size);
        if (factor > 1) TIFFSetField(tiff.get(), TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
        TileOptions tiles;
        if (factor == 1) {
            tiles.missing.insert(o.missing_tiles.begin(), o.missing_tiles.end());
            tiles.corrupt.insert(o.corrupt_tiles.begin(), o.corrupt_tiles.end());
        }
        if (factor == o.downsamples.back())
            tiles.corrupt.insert(o.corrupt_last_level_tiles.begin(),
                                 o.corrupt_last_level_tiles.end());
        if (o.period_px > 0) {
            WSI_CHECK(o.period_px % (int64_t{factor} * o.tile_px) == 0, o.period_px);
            tiles.period_tiles = o.period_px / (int64_t{factor} * o.tile_px);
        }
        write_tiles(
            tiff.get(), size, o.tile_px,
            [&](const PixelRect& rect, RgbView out) { fill_level(source, rect, factor, out); },
            tiles);
        TIFFWriteDirectory(tiff.get());
    }
}

}  // namespace

void write_svs(const std::string& path, const SlideOptions& o, const PixelSource& source) {
    write_pyramid(path, o, source, [&](TIFF* tiff, PixelSize size) {
        std::ostringstream text;
        text << "Aperio Image Library v12.0.0\r\n"
             << size.width << "x" << size.height << " (" << o.tile_px << "x" << o.tile_px << ")";
        if (o.objective_power) text << "|AppMag = " << *o.objective_power;
        if (o.mpp > 0) text << "|MPP = " << o.mpp;
        TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, text.str().c_str());
    });
}

void write_generic_tiff(const std::string& path, const SlideOptions& o, const PixelSource& source) {
    write_pyramid(path, o, source, [&](TIFF* tiff, PixelSize size) {
        const double factor = static_cast<double>(o.size.width) / static_cast<double>(size.width);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 1e4 / (o.mpp * factor));
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 1e4 / (o.mpp * factor));
    });
}

void write_leica_scn(const std::string& path, const ScnOptions& o, const PixelSource& source) {
    // Sizes in the XML are in nanometres.
    const auto nm = [&](int64_t px) {
        return std::llround(static_cast<double>(px) * o.mpp * 1000);
    };
    std::ostringstream xml;
    xml << R"(<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">)"
        << R"(<collection name="test" sizeX=")" << nm(o.collection.width) << R"(" sizeY=")"
        << nm(o.collection.height) << R"("><image name="scan"><pixels sizeX=")" << o.scan.width
        << R"(" sizeY=")" << o.scan.height << R"(">)";
    for (size_t i = 0; i < o.levels.size(); ++i)
        xml << R"(<dimension sizeX=")" << o.levels[i].width << R"(" sizeY=")" << o.levels[i].height
            << R"(" r=")" << i << R"(" ifd=")" << i << R"("/>)";
    xml << R"(</pixels><view sizeX=")" << nm(o.scan.width) << R"(" sizeY=")" << nm(o.scan.height)
        << R"(" offsetX=")" << nm(o.offset.x) << R"(" offsetY=")" << nm(o.offset.y)
        << R"("/><scanSettings><objectiveSettings><objective>40</objective></objectiveSettings>)"
        << R"(<illuminationSettings><illuminationSource>brightfield</illuminationSource>)"
        << R"(</illuminationSettings></scanSettings></image></collection></scn>)";
    const Tiff tiff = create(path, true);  // SCN files are always BigTIFF
    for (size_t i = 0; i < o.levels.size(); ++i) {
        const PixelSize size = o.levels[i];
        set_tags(tiff.get(), size, o.tile_px, 0);
        if (i == 0) TIFFSetField(tiff.get(), TIFFTAG_IMAGEDESCRIPTION, xml.str().c_str());
        TIFFSetField(tiff.get(), TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        const double factor = static_cast<double>(o.scan.width) / static_cast<double>(size.width);
        TIFFSetField(tiff.get(), TIFFTAG_XRESOLUTION, 1e4 / (o.mpp * factor));
        TIFFSetField(tiff.get(), TIFFTAG_YRESOLUTION, 1e4 / (o.mpp * factor));
        // Nearest sample of the scan at each level pixel's centre; the source's frame is the
        // collection.
        const auto fill = [&](const PixelRect& rect, RgbView out) {
            RgbImage pixel(1, 1);
            if (i == 0)
                return source({rect.x + o.offset.x, rect.y + o.offset.y, rect.width, rect.height},
                              out);
            for (int64_t y = 0; y < out.height; ++y)
                for (int64_t x = 0; x < out.width; ++x) {
                    const auto at = [factor](int64_t v) {
                        return static_cast<int64_t>((static_cast<double>(v) + 0.5) * factor);
                    };
                    source({at(rect.x + x) + o.offset.x, at(rect.y + y) + o.offset.y, 1, 1}, pixel);
                    std::copy_n(pixel.data(), 3, out.at(x, y));
                }
        };
        TileOptions tiles;
        if (i == 0) tiles.missing.insert(o.missing_tiles.begin(), o.missing_tiles.end());
        write_tiles(tiff.get(), size, o.tile_px, fill, tiles);
        TIFFWriteDirectory(tiff.get());
    }
}

}  // namespace wsi::test
