#include "io/work_reader.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "io/area_resample.h"
#include "io/block_cache.h"
#include "io/types/cpu_time.h"

namespace wsi {

namespace {
/// What scanners call 20x has up to this many µm per pixel: such slides must do for any model.
constexpr double kCoarsest20x = 0.6;

constexpr int64_t kBandRows = 64;

/// The coarsest level that is not coarser than `downsample` (within rounding). Only levels whose
/// ratio is a whole number: of others OpenSlide knows the ratio too roughly to place a pixel at the
/// far end.
size_t level_for(const SlideInfo& info, double downsample) {
    size_t best = 0;
    for (size_t i = 1; i < info.levels.size(); ++i)
        if (info.levels[i].downsample <= downsample * (1 + 1e-9) &&
            info.levels[i].downsample > info.levels[best].downsample &&
            info.levels[i].downsample == std::floor(info.levels[i].downsample))
            best = i;
    return best;
}
}  // namespace

WorkFrame make_work_frame(const SlideInfo& info, Mpp work_mpp) {
    const double mpp0 = std::sqrt(info.mpp_x * info.mpp_y);
    const double coarsest = std::max(2 * work_mpp.value, kCoarsest20x);
    if (mpp0 > coarsest)
        fail(ErrorKind::Slide, info.path, ": ", mpp0, " µm/px (from ", to_string(info.mpp_source),
             ") is too coarse to see nuclei; at most ", coarsest,
             " µm/px can be used; give --slide-mpp if the resolution is wrong");
    const double wanted = work_mpp.value / mpp0;
    const SlideLevel& level = info.levels[level_for(info, wanted * (1 + kLevelTolerance))];
    WorkFrame frame;
    if (std::abs(level.downsample / wanted - 1) <= kLevelTolerance) {
        frame.downsample = level.downsample;
        frame.size = level.size;
    } else {
        frame.downsample = wanted;
        const auto cover = [wanted](int64_t px) {
            return std::max<int64_t>(
                1, static_cast<int64_t>(std::ceil(static_cast<double>(px) / wanted - 1e-9)));
        };
        frame.size = {cover(info.size().width), cover(info.size().height)};
    }
    frame.mpp_x = info.mpp_x * frame.downsample;
    frame.mpp_y = info.mpp_y * frame.downsample;
    return frame;
}

struct WorkReader::Impl {
    Impl(const Slide& s, const WorkFrame& f, size_t cache_bytes)
        : slide(s),
          frame(f),
          level(level_for(s.info(), f.downsample)),
          ratio(f.downsample / s.info().levels[level].downsample),
          cache(s, static_cast<int>(level), cache_bytes) {}

    /// Pixels of the frame, which the rectangle must not leave; some rows at a time, so that what
    /// they are made of stays in the processor's cache.
    void read_resampled(const PixelRect& rect, RgbView out, std::vector<FailedBlock>& failures) {
        const PixelSize size = slide.info().levels[level].size;
        const ResampleAxis x(ratio, rect.x, rect.width, size.width);
        thread_local RgbImage source;
        for (int64_t row = 0; row < rect.height; row += kBandRows) {
            const int64_t rows = std::min(kBandRows, rect.height - row);
            const ResampleAxis y(ratio, rect.y + row, rows, size.height);
            source.resize(x.end() - x.begin(), y.end() - y.begin());
            read_level(rect_from_corners(x.begin(), y.begin(), x.end(), y.end()), source, failures);
            const int64_t start = cpu_ns(CpuOf::Thread);
            resample(source.view(), x, y, out.crop({0, row, rect.width, rows}));
            resample_ns += cpu_ns(CpuOf::Thread) - start;
        }
    }

    /// Pixels of the level, which the rectangle must not leave. A block that failed is listed once.
    void read_level(const PixelRect& rect, RgbView out, std::vector<FailedBlock>& failures) {
        const PixelSize block = cache.block_size();
        for (int64_t row = rect.y / block.height; row * block.height < rect.bottom(); ++row)
            for (int64_t column = rect.x / block.width; column * block.width < rect.right();
                 ++column) {
                const auto source = cache.get(row, column);
                const auto same = [&](const FailedBlock& f) { return f.rect_lvl == source->rect; };
                if (source->failure && std::ranges::none_of(failures, same))
                    failures.push_back({static_cast<int>(level), source->rect, *source->failure});
                const PixelRect part = intersection(rect, source->rect);
                copy_pixels(source->rgb.view().crop(part.moved(-source->rect.x, -source->rect.y)),
                            out.crop(part.moved(-rect.x, -rect.y)));
            }
    }

    const Slide& slide;
    const WorkFrame frame;
    const size_t level;
    const double ratio;
    BlockCache cache;
    std::atomic<int64_t> resample_ns{0};
};

WorkReader::WorkReader(const Slide& slide, const WorkFrame& frame, size_t cache_bytes)
    : impl_(std::make_unique<Impl>(slide, frame, cache_bytes)) {}

WorkReader::~WorkReader() = default;

const WorkFrame& WorkReader::frame() const { return impl_->frame; }

std::vector<FailedBlock> WorkReader::read(const PixelRect& rect, RgbView out) const {
    WSI_CHECK(out.size() == rect.size());
    std::vector<FailedBlock> failures;
    const PixelRect part = intersection(rect, impl_->frame.rect());
    if (part != rect)
        for (int64_t y = 0; y < out.height; ++y)
            for (int64_t x = 0; x < out.width; ++x)
                std::copy_n(impl_->slide.info().background, 3, out.at(x, y));
    if (part.empty()) return failures;
    const RgbView inside = out.crop(part.moved(-rect.x, -rect.y));
    if (impl_->ratio == 1) {
        impl_->read_level(part, inside, failures);
        return failures;
    }
    impl_->read_resampled(part, inside, failures);
    return failures;
}

int64_t WorkReader::resample_cpu_ns() const { return impl_->resample_ns; }

}  // namespace wsi
