#include "io/picture.h"

#include <cmath>
#include <memory>
#include <vips/vips8>

#include "io/vips_setup.h"

namespace wsi {

namespace {

using Pixels = std::unique_ptr<void, decltype(&g_free)>;

Pixels pixels_of(const vips::VImage& image) {
    size_t bytes = 0;
    return {image.write_to_memory(&bytes), &g_free};
}

template <class Function>
auto translated(const std::string& path, const char* what, Function&& function) {
    set_up_vips();
    try {
        return function();
    } catch (const vips::VError&) {
        fail(ErrorKind::Config, "cannot ", what, " ", path, ": ", take_vips_error());
    }
}

vips::VImage open(const std::string& path) {
    return vips::VImage::new_from_file(path.c_str(),
                                       vips::VImage::option()->set("fail_on", VIPS_FAIL_ON_ERROR));
}

[[noreturn]] void refuse(const std::string& path, const vips::VImage& image, const char* expected) {
    fail(ErrorKind::Config, path, ": ", image.bands(), " channels of ",
         vips_enum_nick(VIPS_TYPE_BAND_FORMAT, image.format()), "; expected ", expected);
}

/// The channel that all channels but alpha are equal to.
vips::VImage single_channel(const std::string& path, const vips::VImage& image) {
    const int colours = image.has_alpha() ? image.bands() - 1 : image.bands();
    for (int band = 1; band < colours; ++band)
        if ((image[0] != image[band]).max() > 0)
            refuse(path, image, "one channel of ids; this is a colour picture");
    return image[0];
}

template <class T>
void write_png(const std::string& path, std::vector<T>& packed, PixelSize size, int channels,
               VipsInterpretation meaning) {
    translated(path, "write", [&] {
        vips::VImage::new_from_memory(packed.data(), packed.size() * sizeof(T),
                                      static_cast<int>(size.width), static_cast<int>(size.height),
                                      channels,
                                      sizeof(T) == 1 ? VIPS_FORMAT_UCHAR : VIPS_FORMAT_USHORT)
            .copy(vips::VImage::option()->set("interpretation", meaning))
            .pngsave(path.c_str(), vips::VImage::option()->set("compression", 1));
        return 0;
    });
}

}  // namespace

bool can_read_and_write_pictures() { return true; }

RgbImage read_rgb_picture(const std::string& path) {
    return translated(path, "read the picture", [&] {
        vips::VImage image = open(path);
        if (image.format() != VIPS_FORMAT_UCHAR || image.bands() < 3 || image.bands() > 4)
            refuse(path, image, "8-bit RGB");
        if (image.bands() == 4) image = image.extract_band(0, vips::VImage::option()->set("n", 3));
        RgbImage rgb;
        rgb.resize(image.width(), image.height());
        const Pixels pixels = pixels_of(image);
        const auto* from = static_cast<const uint8_t*>(pixels.get());
        std::copy_n(from, rgb.size().area() * 3, rgb.data());
        return rgb;
    });
}

Image<uint32_t> read_label_picture(const std::string& path) {
    return translated(path, "read the labels", [&] {
        const vips::VImage image = single_channel(path, open(path));
        const double least = image.min();
        const bool whole =
            image.format() != VIPS_FORMAT_FLOAT && image.format() != VIPS_FORMAT_DOUBLE;
        if (least < 0 || (!whole && (image - image.rint()).abs().max() > 0))
            refuse(path, image, "ids: whole numbers from 0");
        const Pixels pixels = pixels_of(image.cast(VIPS_FORMAT_UINT));
        const auto* from = static_cast<const uint32_t*>(pixels.get());
        Image<uint32_t> labels;
        labels.resize(image.width(), image.height());
        std::copy_n(from, labels.size().area(), labels.data());
        return labels;
    });
}

namespace {
std::vector<uint8_t> packed_rows(ConstRgbView image) {
    std::vector<uint8_t> packed;
    for (int64_t y = 0; y < image.height; ++y)
        packed.insert(packed.end(), image.row(y), image.row(y) + 3 * image.width);
    return packed;
}
}  // namespace

void write_rgb_picture(const std::string& path, ConstRgbView image) {
    std::vector<uint8_t> packed = packed_rows(image);
    write_png(path, packed, image.size(), 3, VIPS_INTERPRETATION_sRGB);
}

namespace {
vips::VImage borrowed(std::vector<uint8_t>& packed, const PixelSize& size) {
    return vips::VImage::new_from_memory(packed.data(), packed.size(), static_cast<int>(size.width),
                                         static_cast<int>(size.height), 3, VIPS_FORMAT_UCHAR)
        .copy(vips::VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
}

vips::VOption* jpeg_options() {
    return vips::VImage::option()->set("Q", 85)->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF);
}
}  // namespace

void write_jpeg_picture(const std::string& path, ConstRgbView image) {
    std::vector<uint8_t> packed = packed_rows(image);
    translated(path, "write", [&] {
        borrowed(packed, image.size()).jpegsave(path.c_str(), jpeg_options());
        return 0;
    });
}

std::vector<uint8_t> jpeg_bytes(ConstRgbView image) {
    std::vector<uint8_t> packed = packed_rows(image);
    return translated("a picture", "encode", [&] {
        VipsBlob* blob = borrowed(packed, image.size()).jpegsave_buffer(jpeg_options());
        size_t size = 0;
        const auto* bytes = static_cast<const uint8_t*>(vips_blob_get(blob, &size));
        std::vector<uint8_t> out(bytes, bytes + size);
        vips_area_unref(VIPS_AREA(blob));
        return out;
    });
}

void write_label_picture(const std::string& path, ImageView<const uint32_t> labels) {
    std::vector<uint16_t> packed;
    for (int64_t y = 0; y < labels.height; ++y)
        for (int64_t x = 0; x < labels.width; ++x) {
            if (labels(x, y) > 65535)
                fail(ErrorKind::Config, "cannot write ", path, ": id ", labels(x, y),
                     " does not fit 16 bits");
            packed.push_back(static_cast<uint16_t>(labels(x, y)));
        }
    write_png(path, packed, labels.size(), 1, VIPS_INTERPRETATION_GREY16);
}

}  // namespace wsi
