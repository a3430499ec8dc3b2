#include <cpl_error.h>
#include <gdal_priv.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "io/nuclei_import.h"
#include "io/types/pixel_pieces.h"

// A label image is read in strips from top to bottom. A label is complete when it was not met for
// as many rows as a nucleus can have.
namespace wsi {

namespace {

constexpr int64_t kStripRows = 64;

/// How a label image lies on the slide.
struct Placement {
    double label_px = 0;  ///< level-0 pixels per pixel of it
    PixelPoint origin0;   ///< level-0 position of its corner
};

/// Whether an image of `size` is `whole` at one scale, up to a pixel of rounding; the scale.
std::optional<double> scale_of(PixelSize size, PixelSize whole, const SlideInfo& slide) {
    const double across = static_cast<double>(whole.width) / static_cast<double>(size.width);
    const double down = static_cast<double>(whole.height) / static_cast<double>(size.height);
    const auto fits = [&](double scale) {
        return std::abs(static_cast<double>(whole.width) / scale -
                        static_cast<double>(size.width)) <= 1 &&
               std::abs(static_cast<double>(whole.height) / scale -
                        static_cast<double>(size.height)) <= 1;
    };
    std::vector<double> known{1, 2, 4, 8, 16};
    for (const SlideLevel& level : slide.levels) known.push_back(level.downsample);
    std::ranges::sort(known, {}, [&](double s) { return std::abs(s - across); });
    if (fits(known.front())) return known.front();
    const double mean = std::sqrt(across * down);
    if (fits(mean)) return mean;
    return std::nullopt;
}

Placement place(const std::string& path, PixelSize size, const ForeignFrame& f) {
    const SlideInfo& slide = f.slide;
    if (size == f.frame.size) return {f.frame.downsample, {}};
    if (const auto scale = scale_of(size, slide.size(), slide)) return {*scale, {}};
    const PixelRect& b = slide.bounds;
    if (const auto scale = scale_of(size, b.size(), slide)) return {*scale, {b.x, b.y}};
    fail(ErrorKind::Config, path, " is ", size.width, "x", size.height,
         " pixels, which is not the slide's ", slide.size().width, "x", slide.size().height,
         " at any one scale; is it of another slide, or of a part of this one?");
}

class LabelReader {
public:
    LabelReader(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
                const NucleiSink& sink)
        : path_(path), frame_(frame), sink_(sink), class_id_(classes.id_of(NucleusClass{}.name)) {
        static std::once_flag once;
        std::call_once(once, [] { GDALAllRegister(); });
        CPLPushErrorHandler(CPLQuietErrorHandler);
        // GDAL, not libvips: tiles that were left out because they are empty read as zeros.
        static const char* const kDrivers[] = {"GTiff", "PNG", nullptr};
        image_.reset(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY, kDrivers));
        if (!image_) refuse();
        check_pixels();
    }
    ~LabelReader() { CPLPopErrorHandler(); }
    LabelReader(const LabelReader&) = delete;
    LabelReader& operator=(const LabelReader&) = delete;

    void run() {
        const PixelSize size{image_->GetRasterXSize(), image_->GetRasterYSize()};
        const Placement at = place(path_, size, frame_);
        strip_.resize(static_cast<size_t>(size.width * kStripRows));
        const double per_label = frame_.frame.downsample / at.label_px;
        const auto label_of = [&](int64_t work, int64_t origin) {
            return static_cast<int64_t>(std::floor((static_cast<double>(work) + 0.5) * per_label -
                                                   static_cast<double>(origin) / at.label_px));
        };
        std::vector<int64_t> columns(static_cast<size_t>(frame_.frame.size.width));
        for (size_t x = 0; x < columns.size(); ++x)
            columns[x] = label_of(static_cast<int64_t>(x), at.origin0.x);
        int64_t strip = -1;
        for (int64_t y = 0; y < frame_.frame.size.height; ++y) {
            const int64_t row = label_of(y, at.origin0.y);
            if (row < 0 || row >= size.height) continue;
            if (strip != row / kStripRows) read_strip(size, strip = row / kStripRows, y);
            take_row(strip_.data() + row % kStripRows * size.width, size.width, columns,
                     static_cast<int32_t>(y));
        }
        close_before(INT32_MAX);
    }

private:
    struct Open {
        std::vector<PixelRun> runs;
    };

    [[noreturn]] void refuse() const {
        fail(ErrorKind::Config, path_, ": cannot be decoded (", CPLGetLastErrorMsg(),
             "); the file is truncated, or not a label image");
    }

    void check_pixels() const {
        if (image_->GetRasterCount() != 1)
            fail(ErrorKind::Config, path_, " has ", image_->GetRasterCount(),
                 " channels; a label image has one, with a number per nucleus");
        const GDALDataType type = image_->GetRasterBand(1)->GetRasterDataType();
        for (const GDALDataType whole : {GDT_Byte, GDT_UInt16, GDT_Int16, GDT_UInt32, GDT_Int32})
            if (type == whole) return;
        fail(ErrorKind::Config, path_, ": pixels are ", GDALGetDataTypeName(type),
             "; a label image has whole numbers of 8, 16 or 32 bits");
    }

    void read_strip(PixelSize size, int64_t strip, int64_t work_row) {
        const auto top = static_cast<int>(strip * kStripRows);
        const int width = static_cast<int>(size.width);
        const int rows = static_cast<int>(std::min(kStripRows, size.height - top));
        if (image_->GetRasterBand(1)->RasterIO(GF_Read, 0, top, width, rows, strip_.data(), width,
                                               rows, GDT_UInt32, 0, 0, nullptr) != CE_None)
            refuse();
        close_before(static_cast<int32_t>(work_row));
        if (sink_.progress)
            sink_.progress(static_cast<double>(top) / static_cast<double>(size.height));
    }

    void take_row(const uint32_t* labels, int64_t width, const std::vector<int64_t>& columns,
                  int32_t y) {
        const auto at = [&](size_t x) {
            const int64_t column = columns[x];
            return column < 0 || column >= width ? 0u : labels[column];
        };
        for (size_t x = 0; x < columns.size();) {
            const uint32_t label = at(x);
            const size_t begin = x;
            while (x < columns.size() && at(x) == label) ++x;
            if (label != 0)
                open_[label].runs.push_back(
                    {y, static_cast<int32_t>(begin), static_cast<int32_t>(x)});
        }
    }

    /// Hands over what cannot go on in row `y` or below.
    void close_before(int32_t y) {
        const auto most = static_cast<int32_t>(frame_.most_side_px);
        std::vector<ForeignNucleus> done;
        for (auto it = open_.begin(); it != open_.end();) {
            std::vector<PixelRun>& runs = it->second.runs;
            const bool ended = runs.back().y + (y == INT32_MAX ? 0 : most) < y || y == INT32_MAX;
            if (ended || runs.back().y - runs.front().y > 2 * most)
                split(it->first, runs, ended ? INT32_MAX : y, done);
            it = runs.empty() ? open_.erase(it) : std::next(it);
        }
        std::ranges::sort(done, {}, [](const ForeignNucleus& n) {
            return std::pair(n.runs.front().y, n.runs.front().x0);
        });
        for (ForeignNucleus& nucleus : done) sink_.nucleus(std::move(nucleus));
    }

    /// One nucleus when all of a label lies together; else each piece is one, for ids may have
    /// begun anew in every tile, or one value may stand for all nuclei. Pieces that reach row
    /// y - 1 stay open.
    void split(uint32_t label, std::vector<PixelRun>& runs, int32_t y,
               std::vector<ForeignNucleus>& done) const {
        const auto left = std::ranges::min_element(runs, {}, &PixelRun::x0)->x0;
        const auto right = std::ranges::max_element(runs, {}, &PixelRun::x1)->x1;
        const auto most = static_cast<int32_t>(frame_.most_side_px);
        const auto give = [&](std::vector<PixelRun>&& pixels) {
            ForeignNucleus nucleus;
            nucleus.source = label;
            nucleus.class_id = class_id_;
            nucleus.runs = std::move(pixels);
            done.push_back(std::move(nucleus));
        };
        if (y == INT32_MAX && right - left <= most && runs.back().y - runs.front().y <= most) {
            give(std::move(runs));
            runs.clear();
            return;
        }
        std::vector<PixelRun> open;
        for (std::vector<PixelRun>& piece : pieces_of(runs)) {
            if (piece.back().y + 1 < y)
                give(std::move(piece));
            else
                open.insert(open.end(), piece.begin(), piece.end());
        }
        std::ranges::sort(open, {}, [](const PixelRun& r) { return std::pair(r.y, r.x0); });
        runs = std::move(open);
    }

    const std::string path_;
    const ForeignFrame& frame_;
    const NucleiSink& sink_;
    const uint8_t class_id_;
    std::unique_ptr<GDALDataset> image_;
    std::vector<uint32_t> strip_;  // kStripRows rows
    std::unordered_map<uint32_t, Open> open_;
};

}  // namespace

void read_nuclei_labels(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
                        const NucleiSink& sink) {
    LabelReader(path, frame, classes, sink).run();
}

}  // namespace wsi
