#include "stages/nucleus_raster.h"

#include <algorithm>
#include <cmath>

#include "io/types/pixel_pieces.h"
#include "stages/separate_steps.h"

namespace wsi {

namespace {

int64_t area_of(std::span<const PixelRun> runs) {
    int64_t area = 0;
    for (const PixelRun& run : runs) area += run.x1 - run.x0;
    return area;
}

/// Whether all points lie on one line. Not the signed area, which is 0 for a bow-tie, too.
bool is_flat(std::span<const RoiPoint> ring) {
    double most = 0;
    for (size_t i = 0; i < ring.size(); ++i) {
        const RoiPoint &a = ring[i], &b = ring[(i + 1) % ring.size()];
        most = std::max(most, std::abs((a.x - ring[0].x) * (b.y - ring[0].y) -
                                       (b.x - ring[0].x) * (a.y - ring[0].y)));
    }
    return !(most > 1e-9);  // also of coordinates that are no numbers
}

double distance_squared(double x, double y, const RoiPoint& a, const RoiPoint& b) {
    const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    const double t =
        length > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length, 0.0, 1.0) : 0.0;
    const double ex = x - a.x - t * dx, ey = y - a.y - t * dy;
    return ex * ex + ey * ey;
}

int64_t floor_px(double v) { return static_cast<int64_t>(std::floor(v)); }

}  // namespace

NucleusRaster::NucleusRaster(const WorkFrame& frame)
    : frame_(frame), most_side_px_(static_cast<int>(std::lround(kMostNucleusUm / frame.mpp()))) {}

/// Makes the empty mask around what lies on the slide.
RasterOutcome NucleusRaster::place(std::span<const RoiPoint> ring, double grow_px) {
    if (ring.size() < 3) return RasterOutcome::TooSmall;
    const auto [left, right] = std::ranges::minmax(ring, {}, &RoiPoint::x);
    const auto [top, bottom] = std::ranges::minmax(ring, {}, &RoiPoint::y);
    const double most = most_side_px_ * frame_.downsample;
    if (right.x - left.x > most || bottom.y - top.y > most) return RasterOutcome::TooLarge;
    const auto before = [&](double v) { return floor_px((v - grow_px) / frame_.downsample); };
    const auto after = [&](double v) { return floor_px((v + grow_px) / frame_.downsample) + 1; };
    // Doubles beyond what a slide can be have no integer.
    const double limit = 1e9;
    if (std::abs(left.x) > limit || std::abs(top.y) > limit) return RasterOutcome::OffSlide;
    const PixelRect box = intersection(
        rect_from_corners(before(left.x), before(top.y), after(right.x), after(bottom.y)),
        frame_.rect());
    if (box.empty()) return RasterOutcome::OffSlide;
    box_ = box.grown(1);
    mask_.resize(box_.width, box_.height);
    mask_.fill(0);
    return RasterOutcome::Clean;
}

void NucleusRaster::fill_inside(std::span<const RoiPoint> ring) {
    const double d = frame_.downsample;
    for (int64_t row = 1; row + 1 < box_.height; ++row) {
        const double y = (static_cast<double>(box_.y + row) + 0.5) * d;
        crossings_.clear();
        for (size_t i = 0; i < ring.size(); ++i) {
            const RoiPoint &a = ring[i], &b = ring[(i + 1) % ring.size()];
            if ((a.y <= y) == (b.y <= y)) continue;
            crossings_.push_back(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
        }
        std::sort(crossings_.begin(), crossings_.end());
        for (size_t i = 0; i + 1 < crossings_.size(); i += 2) {
            const auto column = [&](double x) {
                return std::clamp<int64_t>(static_cast<int64_t>(std::ceil(x / d - 0.5)) - box_.x, 1,
                                           box_.width - 1);
            };
            const int64_t from = column(crossings_[i]), to = column(crossings_[i + 1]);
            if (from < to) std::fill_n(mask_.view().at(from, row), to - from, uint8_t{1});
        }
    }
}

void NucleusRaster::mark_near(std::span<const RoiPoint> ring, double grow_px) {
    const double d = frame_.downsample;
    for (size_t i = 0; i < ring.size(); ++i) {
        const RoiPoint &a = ring[i], &b = ring[(i + 1) % ring.size()];
        const auto first = [&](double v, int64_t origin) {
            return std::max<int64_t>(1, floor_px((v - grow_px) / d) - origin);
        };
        const auto last = [&](double v, int64_t origin, int64_t size) {
            return std::min<int64_t>(size - 2, floor_px((v + grow_px) / d) - origin);
        };
        const int64_t x1 = last(std::max(a.x, b.x), box_.x, box_.width);
        const int64_t y1 = last(std::max(a.y, b.y), box_.y, box_.height);
        for (int64_t y = first(std::min(a.y, b.y), box_.y); y <= y1; ++y)
            for (int64_t x = first(std::min(a.x, b.x), box_.x); x <= x1; ++x)
                if (distance_squared((static_cast<double>(box_.x + x) + 0.5) * d,
                                     (static_cast<double>(box_.y + y) + 0.5) * d, a,
                                     b) < grow_px * grow_px)
                    mask_(x, y) = 1;
    }
}

void NucleusRaster::mark_middle(std::span<const RoiPoint> ring) {
    double x = 0, y = 0;
    for (const RoiPoint& p : ring) x += p.x, y += p.y;
    const double n = static_cast<double>(ring.size()) * frame_.downsample;
    const int64_t column = floor_px(x / n), row = floor_px(y / n);
    if (box_.grown(-1).contains(column, row)) mask_(column - box_.x, row - box_.y) = 1;
}

bool NucleusRaster::collect(std::vector<PixelRun>& runs) const {
    runs.clear();
    const auto view = mask_.view();
    for (int64_t y = 1; y + 1 < box_.height; ++y)
        for (int64_t x = 1; x + 1 < box_.width;) {
            const int64_t begin = x;
            while (view(x, y) != 0) ++x;  // the margin is empty
            if (x > begin)
                runs.push_back({static_cast<int32_t>(box_.y + y),
                                static_cast<int32_t>(box_.x + begin),
                                static_cast<int32_t>(box_.x + x)});
            else
                ++x;
        }
    return !runs.empty();
}

RasterOutcome NucleusRaster::operator()(std::span<const RoiPoint> ring, double grow_px,
                                        std::vector<PixelRun>& runs) {
    runs.clear();
    if (grow_px == 0 && is_flat(ring)) return RasterOutcome::TooSmall;
    const RasterOutcome placed = place(ring, grow_px);
    if (placed != RasterOutcome::Clean) return placed;
    fill_inside(ring);
    if (grow_px > 0) mark_near(ring, grow_px);
    if (!collect(runs)) {
        mark_middle(ring);
        if (!collect(runs)) return RasterOutcome::OffSlide;
    }
    return clean(runs);
}

RasterOutcome NucleusRaster::clean(std::vector<PixelRun>& runs) {
    if (runs.empty()) return RasterOutcome::TooSmall;
    std::vector<std::vector<PixelRun>> pieces = pieces_of(runs);
    const bool in_pieces = pieces.size() > 1;
    runs =
        std::move(*std::ranges::max_element(pieces, {}, [](const auto& p) { return area_of(p); }));
    int32_t left = runs.front().x0, right = runs.front().x1;
    for (const PixelRun& run : runs) {
        left = std::min(left, run.x0);
        right = std::max(right, run.x1);
    }
    box_ = rect_from_corners(left, runs.front().y, right, runs.back().y + 1).grown(1);
    if (box_.width > most_side_px_ + 4 || box_.height > most_side_px_ + 4)
        return RasterOutcome::TooLarge;
    mask_.resize(box_.width, box_.height);
    mask_.fill(0);
    for (const PixelRun& run : runs)
        std::fill_n(mask_.view().at(run.x0 - box_.x, run.y - box_.y), run.x1 - run.x0, uint8_t{1});
    separation::fill_holes(mask_.view(), most_side_px_ + 4, INT64_MAX,
                           separation::Connectivity::Eight);
    collect(runs);
    return in_pieces ? RasterOutcome::Repaired : RasterOutcome::Clean;
}

}  // namespace wsi
