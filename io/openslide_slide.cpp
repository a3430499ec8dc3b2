#include "io/openslide_slide.h"

#include <openslide.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <vector>

#include "io/mpp.h"
#include "io/sha.h"
#include "io/slide_checks.h"
#include "io/tiff_pixels.h"
#include "io/tiff_tiles.h"

// Since OpenSlide 4.0; absent from older headers and libraries.
extern "C" {
struct wsi_openslide_cache;
wsi_openslide_cache* openslide_cache_create(size_t capacity) __attribute__((weak));
void openslide_set_cache(openslide_t* slide, wsi_openslide_cache* cache) __attribute__((weak));
void openslide_cache_release(wsi_openslide_cache* cache) __attribute__((weak));
}

namespace wsi {

namespace {

constexpr int64_t kMostPixels = int64_t{1} << 42;      // of level 0: more is a lying header
constexpr int64_t kMostTilePixels = int64_t{1} << 28;  // 1 GiB while it is decoded
constexpr size_t kTileCacheBytes = size_t{16} << 20;   // blocks are read once; tiles overlap blocks

using Handle = std::shared_ptr<openslide_t>;

Handle open_handle(const std::string& path) {
    openslide_t* raw = openslide_open(path.c_str());
    if (raw == nullptr) return nullptr;
    if (openslide_cache_create != nullptr && openslide_get_error(raw) == nullptr) {
        wsi_openslide_cache* cache = openslide_cache_create(kTileCacheBytes);
        openslide_set_cache(raw, cache);
        openslide_cache_release(cache);
    }
    return {raw, &openslide_close};
}

class OpenslideSlide final : public Slide {
public:
    OpenslideSlide(const std::string& path, const SlideConfig& config)
        : handle_(open_handle(path)) {
        info_.path = path;
        if (!handle_)
            fail(ErrorKind::Slide, path, ": not a slide that OpenSlide knows, or damaged");
        check();
        read_levels();
        find_lies();
        read_properties();
        find_resolution(config.mpp);
        tiff_.emplace(path, info_.vendor, info_.levels);
    }

    const SlideInfo& info() const override { return info_; }

    std::optional<std::string> read(int level, const PixelRect& rect, RgbView out) const override {
        const SlideLevel& l = info_.levels.at(static_cast<size_t>(level));
        const PixelRect part = intersection(rect, {0, 0, l.size.width, l.size.height});
        if (part != rect) paint_background(out);
        if (part.empty()) return std::nullopt;
        // Above level 0 OpenSlide may round to the next pixel, and look at the tile beside as well.
        if (auto lie = lie_in(level == 0 ? part : part.grown(1), l.size)) {
            paint_background(out);
            return lie;
        }
        if (tiff_ && tiff_->read(level, part, out.crop(part.moved(-rect.x, -rect.y))))
            return std::nullopt;
        thread_local std::vector<uint32_t> argb;
        argb.resize(static_cast<size_t>(part.area()));
        const Handle shared = current();
        auto error = read_with(shared, level, part, argb.data());
        if (error) {
            replace(shared);
            // It may be the error of another thread's block: a handle breaks for all who read with
            // it. One of our own tells.
            if (const Handle own = open_handle(info_.path))
                error = read_with(own, level, part, argb.data());
        }
        if (error)
            paint_background(out);
        else
            composite(argb.data(), out.crop(part.moved(-rect.x, -rect.y)));
        return error;
    }

private:
    /// OpenSlide takes the memory that a tile claims before it looks at the file, and ends the
    /// process when there is none: such tiles are not asked for. Where an image of the file is not
    /// a level as it stands (Leica, Ventana and Philips put levels together or cut them), nobody
    /// here knows which read would meet them.
    void find_lies() {
        oversized_ = oversized_tiles(info_.path);
        for (const OversizedTile& tile : oversized_)
            if (std::ranges::none_of(info_.levels,
                                     [&](const auto& l) { return l.size == tile.level; }))
                fail(ErrorKind::Slide, info_.path, ": a tile of the image of ", tile.level.width,
                     " x ", tile.level.height, " pixels in it claims ", tile.bytes,
                     " bytes; the file is damaged: copy it again, or convert it to a tiled TIFF");
    }

    std::optional<std::string> lie_in(const PixelRect& rect_lvl, PixelSize level) const {
        for (const OversizedTile& tile : oversized_)
            if (tile.level == level && !intersection(tile.rect_lvl, rect_lvl).empty())
                return "a tile claims " + std::to_string(tile.bytes) + " bytes";
        return std::nullopt;
    }

    /// Premultiplied ARGB of a rectangle that lies inside the level; OpenSlide's error, if any.
    std::optional<std::string> read_with(const Handle& handle, int level, const PixelRect& rect_lvl,
                                         uint32_t* argb) const {
        // OpenSlide maps level-0 coordinates by its own idea of the ratio.
        const double ratio = stated_downsamples_[static_cast<size_t>(level)];
        openslide_read_region(handle.get(), argb,
                              std::llround(static_cast<double>(rect_lvl.x) * ratio),
                              std::llround(static_cast<double>(rect_lvl.y) * ratio), level,
                              rect_lvl.width, rect_lvl.height);
        const char* error = openslide_get_error(handle.get());
        if (error == nullptr) return std::nullopt;
        return error;
    }

    void check() const {
        if (const char* error = openslide_get_error(handle_.get()))
            fail(ErrorKind::Slide, info_.path, ": ", without_path(error),
                 "; the file is damaged or of a kind that OpenSlide cannot read; copy it again, or "
                 "convert it to a tiled TIFF");
    }

    /// A slide without resolution may have a fault that no resolution mends: that one is told.
    void find_resolution(double override_mpp) {
        try {
            resolve_mpp(stated_resolution(), override_mpp, info_);
        } catch (const Error&) {
            check_brightfield(*this);
            throw;
        }
    }

    /// OpenSlide's message where it names the file once more.
    std::string without_path(std::string message) const {
        for (const std::string& named : {"Reading " + info_.path + ": ", ": " + info_.path})
            if (const size_t at = message.find(named); at != std::string::npos)
                message.erase(at, named.size());
        return message;
    }

    std::optional<std::string> property(const char* name) const {
        const char* value = openslide_get_property_value(handle_.get(), name);
        if (value == nullptr) return std::nullopt;
        return value;
    }
    std::optional<double> number(const char* name) const {
        return parse_decimal(openslide_get_property_value(handle_.get(), name));
    }

    void read_levels() {
        const int count = openslide_get_level_count(handle_.get());
        for (int i = 0; i < count; ++i) {
            int64_t width = 0, height = 0;
            openslide_get_level_dimensions(handle_.get(), i, &width, &height);
            const double downsample = openslide_get_level_downsample(handle_.get(), i);
            if (width <= 0 || height <= 0 || width > kMostPixels / height || !(downsample >= 1))
                fail(ErrorKind::Slide, info_.path, ": level ", i, " claims ", width, " x ", height,
                     " pixels, which cannot be; the file is damaged: copy it again");
            if (const PixelSize tile = tile_size(i);
                tile.height > 0 && tile.width > kMostTilePixels / tile.height)
                fail(ErrorKind::Slide, info_.path, ": level ", i, " claims tiles of ", tile.width,
                     " x ", tile.height, " pixels; at most ", kMostTilePixels,
                     " pixels are decoded at once; the file is damaged: copy it again, or convert "
                     "it to a tiled TIFF");
            stated_downsamples_.push_back(downsample);
            info_.levels.push_back({{width, height}, downsample, tile_size(i)});
        }
        check();
        if (info_.levels.empty()) fail(ErrorKind::Slide, info_.path, ": no image levels");
        for (SlideLevel& level : info_.levels) snap_to_whole_ratio(level);
    }

    /// OpenSlide derives a level's ratio from sizes that were rounded: 35389 of 70779 pixels is 2,
    /// not 2.00003, which would be a pixel at the far end.
    void snap_to_whole_ratio(SlideLevel& level) const {
        const auto whole = std::llround(level.downsample);
        const PixelSize base = info_.levels.front().size;
        if (std::abs(base.width - whole * level.size.width) <= whole &&
            std::abs(base.height - whole * level.size.height) <= whole)
            level.downsample = static_cast<double>(whole);
    }

    PixelSize tile_size(int level) const {
        const std::string prefix = "openslide.level[" + std::to_string(level) + "].tile-";
        const auto width = number((prefix + "width").c_str());
        const auto height = number((prefix + "height").c_str());
        if (!width || !height) return {};
        return {static_cast<int64_t>(*width), static_cast<int64_t>(*height)};
    }

    void read_properties() {
        info_.vendor = property("openslide.vendor").value_or("unknown");
        const PixelSize size = info_.size();
        info_.bounds = {0, 0, size.width, size.height};
        const auto x = number("openslide.bounds-x"), y = number("openslide.bounds-y"),
                   width = number("openslide.bounds-width"),
                   height = number("openslide.bounds-height");
        if (x && y && width && height) {
            const auto whole = [](double v) { return static_cast<int64_t>(v); };
            const PixelRect stated{whole(*x), whole(*y), whole(*width), whole(*height)};
            if (!intersection(stated, info_.bounds).empty())
                info_.bounds = intersection(stated, info_.bounds);
        }
        if (const auto colour = property("openslide.background-color");
            colour && colour->size() == 6)
            for (size_t c = 0; c < 3; ++c)
                info_.background[c] = hex_byte(colour->substr(2 * c, 2)).value_or(255);
        const auto hash = property("openslide.quickhash-1");
        info_.hash = hash ? *hash : file_identity();
        check();
    }

    static std::optional<uint8_t> hex_byte(const std::string& text) {
        int value = 0;
        for (const char c : text) {
            const int digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0) return std::nullopt;
            value = 16 * value + digit;
        }
        return static_cast<uint8_t>(value);
    }

    /// For formats without a quickhash: name and size; good enough to tell slides apart.
    std::string file_identity() const {
        std::error_code error;
        const auto bytes = std::filesystem::file_size(info_.path, error);
        return sha256_hex(std::filesystem::path(info_.path).filename().string() + ":" +
                          std::to_string(error ? 0 : bytes));
    }

    StatedResolution stated_resolution() const {
        StatedResolution out;
        out.objective_power = number("openslide.objective-power");
        const auto x = number("openslide.mpp-x"), y = number("openslide.mpp-y");
        // OpenSlide 4 fills mpp of a generic TIFF from the tags: name the true source.
        const bool tags_alone = info_.vendor == "generic-tiff";
        (tags_alone ? out.tiff_x : out.mpp_x) = x;
        (tags_alone ? out.tiff_y : out.mpp_y) = y;
        if (!tags_alone || (!x && !y)) {
            const auto unit = property("tiff.ResolutionUnit");
            const double um = unit == "centimeter" ? 1e4 : unit == "inch" ? 25400 : 0;
            const auto rx = number("tiff.XResolution"), ry = number("tiff.YResolution");
            if (um > 0 && rx && *rx > 0) out.tiff_x = um / *rx;
            if (um > 0 && ry && *ry > 0) out.tiff_y = um / *ry;
        }
        return out;
    }

    Handle current() const {
        const std::lock_guard lock(mutex_);
        return handle_;
    }

    /// A handle that failed once fails for ever: the next reader gets a fresh one.
    void replace(const Handle& failed) const {
        const std::lock_guard lock(mutex_);
        if (handle_ != failed) return;
        if (Handle fresh = open_handle(info_.path);
            fresh && openslide_get_error(fresh.get()) == nullptr)
            handle_ = std::move(fresh);
    }

    void paint_background(RgbView out) const {
        for (int64_t y = 0; y < out.height; ++y)
            for (int64_t x = 0; x < out.width; ++x) std::copy_n(info_.background, 3, out.at(x, y));
    }

    /// Premultiplied ARGB over the slide's background.
    void composite(const uint32_t* argb, RgbView out) const {
        for (int64_t y = 0; y < out.height; ++y) {
            const uint32_t* from = argb + y * out.width;
            uint8_t* to = out.row(y);
            for (int64_t x = 0; x < out.width; ++x, to += 3) {
                const uint32_t p = from[x], alpha = p >> 24;
                for (uint32_t c = 0; c < 3; ++c) {
                    const uint32_t value = p >> (16 - 8 * c) & 255;
                    const uint32_t behind = alpha == 255 ? 0 : info_.background[c] * (255 - alpha);
                    to[c] =
                        static_cast<uint8_t>(std::min<uint32_t>(255, value + (behind + 127) / 255));
                }
            }
        }
    }

    SlideInfo info_;
    std::vector<double> stated_downsamples_;
    std::vector<OversizedTile> oversized_;
    std::optional<TiffPixels> tiff_;  ///< none while the slide is looked at
    mutable std::mutex mutex_;
    mutable Handle handle_;
};

}  // namespace

std::string openslide_vendor(const std::string& path) {
    const char* vendor = openslide_detect_vendor(path.c_str());
    return vendor ? vendor : "";
}

std::unique_ptr<Slide> open_with_openslide(const std::string& path, const SlideConfig& config) {
    return std::make_unique<OpenslideSlide>(path, config);
}

}  // namespace wsi
