#include "io/area_resample.h"

#include <algorithm>
#include <cmath>

namespace wsi {

namespace {
constexpr int64_t kSub = 64;  // subdivisions of a source pixel
}

ResampleAxis::ResampleAxis(double ratio, int64_t first, int64_t count, int64_t source_size) {
    begin_ = INT64_MAX;
    // First in absolute source pixels; made relative to begin() at the end.
    for (int64_t k = 0; k < count; ++k) {
        if (ratio >= 1)
            add_area(ratio, first + k, source_size);
        else
            add_linear(ratio, first + k, source_size);
        uint32_t total = 0;
        for (size_t t = offsets_.back(); t < taps_.size(); ++t) {
            begin_ = std::min<int64_t>(begin_, taps_[t].source);
            end_ = std::max<int64_t>(end_, taps_[t].source + 1);
            total += taps_[t].weight;
        }
        offsets_.push_back(taps_.size());
        totals_.push_back(total);
    }
    if (count == 0) begin_ = 0;
    for (Tap& tap : taps_) tap.source = static_cast<int32_t>(tap.source - begin_);
}

void ResampleAxis::add_area(double ratio, int64_t i, int64_t source_size) {
    const int64_t from = std::llround(static_cast<double>(i) * ratio * kSub);
    const int64_t to = std::llround(static_cast<double>(i + 1) * ratio * kSub);
    const int64_t last = std::max<int64_t>(0, source_size - 1);
    const auto old = taps_.size();
    for (int64_t p = from / kSub; p * kSub < to; ++p) {
        const int64_t weight = std::min(to, (p + 1) * kSub) - std::max(from, p * kSub);
        // The last work pixel may reach past the level: its part outside is left out.
        if (weight > 0 && p <= last)
            taps_.push_back({static_cast<int32_t>(p), static_cast<uint32_t>(weight)});
    }
    if (taps_.size() == old) taps_.push_back({static_cast<int32_t>(last), 1});
}

void ResampleAxis::add_linear(double ratio, int64_t i, int64_t source_size) {
    const int64_t at = std::llround(((static_cast<double>(i) + 0.5) * ratio - 0.5) * kSub);
    const auto floor = static_cast<int64_t>(std::floor(static_cast<double>(at) / kSub));
    const auto weight = static_cast<uint32_t>(at - floor * kSub);
    const auto inside = [source_size](int64_t p) {
        return static_cast<int32_t>(std::clamp<int64_t>(p, 0, source_size - 1));
    };
    taps_.push_back({inside(floor), static_cast<uint32_t>(kSub) - weight});
    taps_.push_back({inside(floor + 1), weight});
}

void resample(ConstRgbView source, const ResampleAxis& x, const ResampleAxis& y, RgbView out) {
    // Columns first (long runs of adds over a whole row), then along the row.
    const auto width = static_cast<size_t>(source.width * 3);
    thread_local std::vector<uint32_t> sums;
    sums.resize(width);
    for (int64_t j = 0; j < out.height; ++j) {
        std::fill(sums.begin(), sums.end(), 0u);
        const ResampleAxis::Tap* rows = y.taps(j);
        for (size_t t = 0; t < y.tap_count(j); ++t) {
            const uint8_t* from = source.row(rows[t].source);
            const uint32_t weight = rows[t].weight;
            for (size_t k = 0; k < width; ++k) sums[k] += weight * from[k];
        }
        uint8_t* to = out.row(j);
        for (int64_t i = 0; i < out.width; ++i, to += 3) {
            uint64_t total[3] = {0, 0, 0};
            const ResampleAxis::Tap* columns = x.taps(i);
            for (size_t t = 0; t < x.tap_count(i); ++t) {
                const uint32_t* from = sums.data() + 3 * columns[t].source;
                for (int c = 0; c < 3; ++c) total[c] += uint64_t{columns[t].weight} * from[c];
            }
            const uint64_t weight = uint64_t{x.total(i)} * y.total(j);
            for (int c = 0; c < 3; ++c)
                to[c] = static_cast<uint8_t>((total[c] + weight / 2) / weight);
        }
    }
}

}  // namespace wsi
