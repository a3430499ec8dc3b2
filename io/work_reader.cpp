#include "io/work_reader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

#include "io/area_resample.h"
#include "io/block_cache.h"
#include "io/types/cpu_time.h"

namespace wsi {

namespace {
/// What scanners call 20x has up to this many µm per pixel: such slides must do for any model.
constexpr double kCoarsest20x = 0.6;

// What one band is made from stays in the processor's cache where it can, and bounds memory where a
// wide image without a pyramid is made small.
constexpr int64_t kMostBandRows = 64, kMostBandRowsLvl = 512, kMostStripePxLvl = 8192;

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

/// Blocks that one reader has met and needs again for its next rows: where many threads read, the
/// cache lets go of them before.
class HeldBlocks {
public:
    explicit HeldBlocks(BlockCache& cache) : cache_(cache) {}

    std::shared_ptr<const BlockCache::Block> get(int64_t row, int64_t column) {
        auto& block = held_[{row, column}];
        if (!block)
            block = cache_.get(row, column);
        else
            cache_.touch(row, column);
        return block;
    }
    void let_go_above(int64_t row) { held_.erase(held_.begin(), held_.lower_bound({row, 0})); }

private:
    BlockCache& cache_;
    std::map<std::pair<int64_t, int64_t>, std::shared_ptr<const BlockCache::Block>> held_;
};
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

    /// How many pixels of the frame so many of the level make.
    int64_t work_px(int64_t px_lvl) const {
        return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(px_lvl) / ratio));
    }

    /// Pixels of the frame, which the rectangle must not leave, in stripes of bounded width.
    void read_resampled(const PixelRect& rect, RgbView out, std::vector<FailedBlock>& failures) {
        const int64_t most = work_px(kMostStripePxLvl);
        for (int64_t column = 0; column < rect.width; column += most) {
            const PixelRect part{column, 0, std::min(most, rect.width - column), rect.height};
            read_stripe(part.moved(rect.x, rect.y), out.crop(part), failures);
        }
    }

    /// Some rows at a time; each block of the level is asked for once.
    void read_stripe(const PixelRect& rect, RgbView out, std::vector<FailedBlock>& failures) {
        const PixelSize size = slide.info().levels[level].size;
        const ResampleAxis x(ratio, rect.x, rect.width, size.width);
        const int64_t most = std::min(kMostBandRows, work_px(kMostBandRowsLvl));
        thread_local RgbImage source;
        HeldBlocks held(cache);
        for (int64_t row = 0; row < rect.height; row += most) {
            const int64_t rows = std::min(most, rect.height - row);
            const ResampleAxis y(ratio, rect.y + row, rows, size.height);
            held.let_go_above(y.begin() / cache.block_size().height);
            source.resize(x.end() - x.begin(), y.end() - y.begin());
            read_level(rect_from_corners(x.begin(), y.begin(), x.end(), y.end()), held, source,
                       failures);
            const int64_t start = cpu_ns(CpuOf::Thread);
            resample(source.view(), x, y, out.crop({0, row, rect.width, rows}));
            resample_ns += cpu_ns(CpuOf::Thread) - start;
        }
    }

    /// Pixels of the level, which the rectangle must not leave; a block that failed is listed once.
    /// blocks: the cache, or what holds on to its blocks.
    template <class Blocks>
    void read_level(const PixelRect& rect, Blocks& blocks, RgbView out,
                    std::vector<FailedBlock>& failures) const {
        const PixelSize block = cache.block_size();
        for (int64_t row = rect.y / block.height; row * block.height < rect.bottom(); ++row)
            for (int64_t column = rect.x / block.width; column * block.width < rect.right();
                 ++column) {
                const auto source = blocks.get(row, column);
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
        impl_->read_level(part, impl_->cache, inside, failures);
        return failures;
    }
    impl_->read_resampled(part, inside, failures);
    return failures;
}

int64_t WorkReader::resample_cpu_ns() const { return impl_->resample_ns; }

}  // namespace wsi
