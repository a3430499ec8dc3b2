#include "io/flat_slide.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <vips/vips8>

#include "io/mpp.h"
#include "io/sha.h"
#include "io/tiled_scratch.h"
#include "io/types/suffix.h"
#include "io/vips_setup.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& got) {
    fail(ErrorKind::Slide, path, ": ", got,
         "; expected an 8-bit RGB image of stained tissue; export it as one if that is what it "
         "shows");
}

/// By its content, whatever its name: libvips knows more kinds, of which some resurrect files that
/// their own library refused.
void check_kind(const std::string& path) {
    const char* found = vips_foreign_find_load(path.c_str());
    const std::string_view loader = found != nullptr ? found : "";
    for (const char* known : {"Tiff", "Png", "Jpeg", "Jp2k"})
        if (loader == std::string("VipsForeignLoad") + known + "File") return;
    vips_error_clear();
    fail(ErrorKind::Slide, path,
         ": not a slide that OpenSlide knows, and by its content no TIFF, PNG, JPEG or JPEG 2000 "
         "that can be decoded; copy it again, or convert it to a tiled TIFF");
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

/// Of interlaced pictures the decoder holds every pixel, whatever is asked of it.
void check_streamable(const std::string& path, const vips::VImage& image, int64_t most_bytes) {
    const int64_t bytes = int64_t{image.width()} * image.height() * 3;
    if (image.get_typeof("interlaced") == 0 || bytes <= most_bytes) return;
    fail(ErrorKind::Slide, path, ": an interlaced (progressive) image of ", image.width(), " x ",
         image.height(), " pixels can only be decoded as a whole, in ", bytes >> 20,
         " MiB; at most ", most_bytes >> 20, " MiB are decoded so; save it without interlacing");
}

/// Where libvips hands rows over while it decodes. Its callback is C: what goes wrong is kept.
struct RowSink {
    TiledScratch& scratch;
    const std::function<void(double)>& progress;
    int64_t height;
    std::exception_ptr error;

    static int take(VipsRegion* region, VipsRect* area, void* self) {
        auto& sink = *static_cast<RowSink*>(self);
        try {
            const uint8_t* pixels = VIPS_REGION_ADDR(region, area->left, area->top);
            sink.scratch.write_rows(area->top, {pixels, area->width, area->height,
                                                static_cast<int64_t>(VIPS_REGION_LSKIP(region))});
            if (sink.progress)
                sink.progress(static_cast<double>(area->top + area->height) /
                              static_cast<double>(sink.height));
            return 0;
        } catch (...) {
            sink.error = std::current_exception();
            return -1;
        }
    }
};

/// RGB pixels of one flat image: in memory from the start, or in a scratch file once they are
/// wanted.
class FlatSlide final : public Slide {
public:
    FlatSlide(const std::string& path, const SlideConfig& config, const FlatStorage& storage)
        : scratch_dir_(storage.scratch_dir) {
        info_.path = path;
        std::string suffix = fs::path(path).extension().string();
        info_.vendor = "flat-" + (suffix.empty() ? "image" : suffix.substr(1));
        decode([&] { open(config, storage); });
    }

    const SlideInfo& info() const override { return info_; }

    std::optional<std::string> read(int, const PixelRect& rect, RgbView out) const override {
        const PixelSize size = info_.size();
        const PixelRect part = intersection(rect, {0, 0, size.width, size.height});
        if (part != rect)
            for (int64_t y = 0; y < out.height; ++y) std::fill_n(out.row(y), 3 * out.width, 255);
        if (part.empty()) return std::nullopt;
        const RgbView inside = out.crop(part.moved(-rect.x, -rect.y));
        if (!pixels_) {
            make_ready({});
            return scratch_->read(part, inside);
        }
        const auto* pixels = static_cast<const uint8_t*>(pixels_.get());
        copy_pixels(ConstRgbView{pixels, size.width, size.height, 3 * size.width}.crop(part),
                    inside);
        return std::nullopt;
    }

    std::optional<std::string> glance(int level, const PixelRect& rect,
                                      RgbView out) const override {
        if (pixels_) return read(level, rect, out);
        const auto whole = [](int64_t v) { return static_cast<int>(v); };
        try {
            const vips::VImage part = rgb(VIPS_ACCESS_SEQUENTIAL)
                                          .extract_area(whole(rect.x), whole(rect.y),
                                                        whole(rect.width), whole(rect.height));
            const Pixels pixels = pixels_of(part);
            copy_pixels(ConstRgbView{static_cast<const uint8_t*>(pixels.get()), rect.width,
                                     rect.height, 3 * rect.width},
                        out);
            return std::nullopt;
        } catch (const vips::VError&) {
            return take_vips_error();
        }
    }

    void make_ready(const std::function<void(double)>& progress) const override {
        if (!pixels_) std::call_once(ready_, [&] { decode([&] { spool(progress); }); });
    }

private:
    using Pixels = std::unique_ptr<void, decltype(&g_free)>;

    template <class Body>
    void decode(Body&& body) const {
        try {
            body();
        } catch (const vips::VError&) {
            fail(ErrorKind::Slide, info_.path, ": cannot be decoded (", take_vips_error(),
                 "); the file is damaged: copy it again");
        }
    }

    void open(const SlideConfig& config, const FlatStorage& storage) {
        set_up_vips();
        check_kind(info_.path);
        vips::VImage image = file(VIPS_ACCESS_SEQUENTIAL);
        check_pixels(info_.path, image);
        read_resolution(image, config);
        const bool in_memory =
            int64_t{image.width()} * image.height() * 3 <= storage.most_bytes_in_memory;
        PixelSize tile;
        if (in_memory) {
            image = rgb(orientation_of(image) == 1 ? VIPS_ACCESS_SEQUENTIAL : VIPS_ACCESS_RANDOM);
            pixels_ = pixels_of(image);
        } else {
            check_large(image, storage.most_bytes_at_once);
            tile = {TiledScratch::kTileSide, TiledScratch::kTileSide};
        }
        info_.levels = {{{image.width(), image.height()}, 1, tile}};
        info_.bounds = {0, 0, image.width(), image.height()};
        info_.hash = sha256_of_file(info_.path);  // a flat image has no hash of its own
    }

    void check_large(const vips::VImage& image, int64_t most_bytes_at_once) const {
        check_streamable(info_.path, image, most_bytes_at_once);
        if (const int orientation = orientation_of(image); orientation != 1)
            refuse(info_.path, "a large image with orientation tag " + std::to_string(orientation));
    }

    vips::VImage file(VipsAccess access) const {
        return vips::VImage::new_from_file(
            info_.path.c_str(),
            vips::VImage::option()->set("access", access)->set("fail_on", VIPS_FAIL_ON_ERROR));
    }

    /// The image as it is to be seen: upright, alpha laid on white.
    vips::VImage rgb(VipsAccess access) const {
        vips::VImage image = file(access);
        if (orientation_of(image) != 1) image = image.autorot();
        if (!image.has_alpha()) return image;
        return image.flatten(vips::VImage::option()->set("background", 255.0));
    }

    static Pixels pixels_of(const vips::VImage& image) {
        size_t bytes = 0;
        return {image.write_to_memory(&bytes), &g_free};
    }

    static int orientation_of(const vips::VImage& image) {
        return image.get_typeof("orientation") != 0 ? std::max(1, image.get_int("orientation")) : 1;
    }

    void read_resolution(const vips::VImage& image, const SlideConfig& config) {
        StatedResolution stated;
        // libvips' default of one pixel per millimetre stands for "not stated".
        if (image.xres() > 0 && image.xres() != 1) stated.tiff_x = 1000 / image.xres();
        if (image.yres() > 0 && image.yres() != 1) stated.tiff_y = 1000 / image.yres();
        resolve_mpp(stated, config.mpp, info_);
    }

    void spool(const std::function<void(double)>& progress) const {
        std::error_code error;
        const std::string folder =
            scratch_dir_.empty() ? fs::temp_directory_path(error).string() : scratch_dir_;
        if (error)
            fail(ErrorKind::Output, info_.path, ": too large for memory, and there is no folder ",
                 "for temporary files: ", error.message(), "; let TMPDIR name one");
        auto scratch = std::make_unique<TiledScratch>(info_.size(), folder, info_.path);
        RowSink sink{*scratch, progress, info_.size().height, nullptr};
        const int failed =
            vips_sink_disc(rgb(VIPS_ACCESS_SEQUENTIAL).get_image(), &RowSink::take, &sink);
        if (sink.error) {
            take_vips_error();
            std::rethrow_exception(sink.error);
        }
        if (failed != 0) throw vips::VError();
        scratch_ = std::move(scratch);
    }

    SlideInfo info_;
    const std::string scratch_dir_;
    Pixels pixels_{nullptr, &g_free};  // none of a large image
    mutable std::once_flag ready_;
    mutable std::unique_ptr<TiledScratch> scratch_;
};

}  // namespace

bool is_flat_image_name(const std::string& path) {
    static const std::set<std::string> suffixes{".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2"};
    return suffixes.contains(lower_suffix(path));
}

std::unique_ptr<Slide> open_flat_image(const std::string& path, const SlideConfig& config,
                                       const FlatStorage& storage) {
    return std::make_unique<FlatSlide>(path, config, storage);
}

}  // namespace wsi
