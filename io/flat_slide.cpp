#include "io/flat_slide.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <vips/vips8>

#include "io/mpp.h"
#include "io/sha.h"
#include "io/vips_setup.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMostBytesInMemory = int64_t{256} << 20;

[[noreturn]] void refuse(const std::string& path, const std::string& got) {
    fail(ErrorKind::Slide, path, ": ", got, "; expected an 8-bit RGB image of stained tissue");
}

void check_pixels(const std::string& path, const vips::VImage& image) {
    const int bands = image.bands();
    if (image.format() != VIPS_FORMAT_UCHAR)
        refuse(path, std::string("pixels are ") +
                         (image.format() == VIPS_FORMAT_USHORT ? "16-bit" : "not 8-bit"));
    if (bands < 3) refuse(path, bands == 1 ? "one band (greyscale)" : "greyscale with alpha");
    if (bands > 4 || image.interpretation() == VIPS_INTERPRETATION_CMYK)
        refuse(path, std::to_string(bands) + " bands are not RGB");
}

/// RGB pixels of one flat image, in memory or in an unlinked scratch file.
class FlatSlide final : public Slide {
public:
    FlatSlide(const std::string& path, const SlideConfig& config, const std::string& scratch_dir) {
        info_.path = path;
        std::string suffix = fs::path(path).extension().string();
        info_.vendor = "flat-" + (suffix.empty() ? "image" : suffix.substr(1));
        try {
            load(scratch_dir, config);
        } catch (const vips::VError&) {
            fail(ErrorKind::Slide, path, ": cannot be decoded (", take_vips_error(),
                 "); the file is damaged or of an unknown kind");
        }
    }
    ~FlatSlide() override {
        if (scratch_ >= 0) ::close(scratch_);
    }

    const SlideInfo& info() const override { return info_; }

    std::optional<std::string> read(int, const PixelRect& rect, RgbView out) const override {
        const PixelRect part = intersection(rect, {0, 0, info_.size().width, info_.size().height});
        if (part != rect)
            for (int64_t y = 0; y < out.height; ++y) std::fill_n(out.row(y), 3 * out.width, 255);
        for (int64_t y = part.y; y < part.bottom(); ++y) {
            const auto from = static_cast<size_t>((y * info_.size().width + part.x) * 3);
            const auto bytes = static_cast<size_t>(part.width * 3);
            uint8_t* to = out.at(part.x - rect.x, y - rect.y);
            if (scratch_ < 0)
                std::copy_n(pixels_.data() + from, bytes, to);
            else if (::pread(scratch_, to, bytes, static_cast<off_t>(from)) !=
                     static_cast<ssize_t>(bytes))
                return "scratch file cannot be read";
        }
        return std::nullopt;
    }

private:
    void load(const std::string& scratch_dir, const SlideConfig& config) {
        set_up_vips();
        vips::VImage image = vips::VImage::new_from_file(info_.path.c_str(),
                                                         vips::VImage::option()
                                                             ->set("access", VIPS_ACCESS_SEQUENTIAL)
                                                             ->set("fail_on", VIPS_FAIL_ON_ERROR));
        check_pixels(info_.path, image);
        read_resolution(image, config);
        const int64_t width = image.width(), height = image.height();
        const bool in_memory = width * height * 3 <= kMostBytesInMemory;
        if (const int orientation = orientation_of(image); orientation != 1) {
            if (!in_memory)
                refuse(info_.path,
                       "a large image with orientation tag " + std::to_string(orientation));
            image = vips::VImage::new_from_file(info_.path.c_str()).autorot();
        }
        if (image.has_alpha())
            image = image.flatten(vips::VImage::option()->set("background", 255.0));
        info_.levels = {{{image.width(), image.height()}, 1, {}}};
        info_.bounds = {0, 0, image.width(), image.height()};
        if (in_memory)
            keep_in_memory(image);
        else
            spool(image, scratch_dir);
        info_.hash = sha256_of_file(info_.path);  // a flat image has no hash of its own
    }

    static int orientation_of(const vips::VImage& image) {
        return image.get_typeof("orientation") != 0 ? std::max(1, image.get_int("orientation")) : 1;
    }

    void read_resolution(const vips::VImage& image, const SlideConfig& config) {
        StatedResolution stated;
        // libvips' default of one pixel per millimetre stands for "not stated"; it is out of range.
        if (image.xres() > 0) stated.tiff_x = 1000 / image.xres();
        if (image.yres() > 0) stated.tiff_y = 1000 / image.yres();
        resolve_mpp(stated, config.mpp, info_);
    }

    void keep_in_memory(const vips::VImage& image) {
        size_t bytes = 0;
        const std::unique_ptr<void, decltype(&g_free)> memory(image.write_to_memory(&bytes),
                                                              &g_free);
        const auto* from = static_cast<const uint8_t*>(memory.get());
        pixels_.assign(from, from + bytes);
    }

    void spool(const vips::VImage& image, const std::string& scratch_dir) {
        const fs::path folder =
            scratch_dir.empty() ? fs::temp_directory_path() : fs::path(scratch_dir);
        std::error_code ignored;
        fs::create_directories(folder, ignored);
        std::string name = (folder / "scratch-XXXXXX").string();
        scratch_ = mkstemp(name.data());
        if (scratch_ < 0)
            fail(ErrorKind::Output, "cannot create a scratch file in ", folder.string(),
                 " for the pixels of ", info_.path);
        try {
            image.rawsave_fd(scratch_);
        } catch (const vips::VError&) {
            ::unlink(name.c_str());
            const std::string error = take_vips_error();
            fail(error.find("write") != std::string::npos ? ErrorKind::Output : ErrorKind::Slide,
                 info_.path, ": cannot be unpacked to ", folder.string(), " (", error, ")");
        }
        ::unlink(name.c_str());  // it goes when it is closed, however the process ends
    }

    SlideInfo info_;
    std::vector<uint8_t> pixels_;
    int scratch_ = -1;
};

}  // namespace

bool is_flat_image_name(const std::string& path) {
    static const std::set<std::string> suffixes{".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2"};
    std::string suffix = fs::path(path).extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return suffixes.contains(suffix);
}

std::unique_ptr<Slide> open_flat_image(const std::string& path, const SlideConfig& config,
                                       const std::string& scratch_dir) {
    return std::make_unique<FlatSlide>(path, config, scratch_dir);
}

}  // namespace wsi
