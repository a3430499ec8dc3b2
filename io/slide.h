#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "io/types/image.h"
#include "io/types/work_frame.h"

namespace wsi {

enum class MppSource { Override, Slide, TiffTags, ObjectivePower };
const char* to_string(MppSource source);

struct SlideLevel {
    PixelSize size;
    double downsample = 1;  ///< level-0 pixels per pixel of this level
    PixelSize tile{0, 0};   ///< how it is stored; 0 = unknown
};

struct SlideInfo {
    std::string path;
    std::string vendor;              ///< OpenSlide's vendor, or "flat-tiff", "flat-png", ...
    std::vector<SlideLevel> levels;  ///< at least one; level 0 first
    double mpp_x = 0, mpp_y = 0;     ///< of level 0, within the sane range
    MppSource mpp_source = MppSource::Slide;
    std::optional<double> objective_power;
    PixelRect bounds;  ///< non-empty part, level-0 frame; whole slide when not stated
    uint8_t background[3] = {255, 255, 255};
    std::string
        hash;  ///< identifies the pixels: OpenSlide's quickhash-1, or SHA-256 of a flat file
    std::vector<std::string> warnings;  ///< e.g. resolution guessed from the objective; for the log

    PixelSize size() const { return levels.front().size; }
};

/// A rectangle of one level that could not be decoded; painted as background.
struct FailedBlock {
    int level = 0;
    PixelRect rect_lvl;
    std::string message;
};

/// A slide open for reading. read() is thread-safe. A handle that failed is reopened, so that one
/// bad block costs that block alone.
class Slide {
public:
    virtual ~Slide() = default;
    virtual const SlideInfo& info() const = 0;
    /// Pixels of `rect_lvl` of one level, RGB, alpha composited on the background; outside the
    /// slide = background. rect_lvl is in pixels of that level. Returns why, when it could not be
    /// decoded
    /// (`out` is background then).
    virtual std::optional<std::string> read(int level, const PixelRect& rect_lvl,
                                            RgbView out) const = 0;
    /// The same for one look, inside the level, before it is known whether the slide is wanted: of
    /// an image that make_ready() would unpack, only the rows down to there are decoded, and none
    /// kept.
    virtual std::optional<std::string> glance(int level, const PixelRect& rect_lvl,
                                              RgbView out) const {
        return read(level, rect_lvl, out);
    }
    /// Does what takes long before the first read(), which would do it unseen: a large flat image
    /// is unpacked into a scratch file. progress: called with 0..1, may be empty, may throw to give
    /// up. Throws Error{Slide} / Error{Output}; may be tried again.
    virtual void make_ready(const std::function<void(double fraction)>& progress) const {
        if (progress) progress(1);
    }
};

/// Opens any supported slide or flat image, or a folder of DICOM files, and resolves its
/// resolution. Throws Error{Slide} with the complete line for the user (what, file, got, expected,
/// remedy). `scratch_dir`: where a large flat image is unpacked; empty = the system's temporary
/// folder.
std::unique_ptr<Slide> open_slide(const std::string& path, const SlideConfig& config,
                                  const std::string& scratch_dir = "");

}  // namespace wsi
