#include "io/area_resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

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

namespace {

// Three colours and one to spare: a pixel is one vector of the compiler's.
constexpr size_t kLanes = 4;
template <class T>
using Lanes [[gnu::vector_size(kLanes * sizeof(T))]] = T;

/// One row of the output; sums: a row of weighted columns. Sum: wide enough for 256 times the
/// weight of a pixel, signed because only that converts quickly.
template <class Sum>
void resample_row(const int32_t* sums, const ResampleAxis& x, int64_t row_weight, int64_t width,
                  uint8_t* to) {
    int64_t weight = 0;
    double inverse = 0;
    for (int64_t i = 0; i < width; ++i, to += 3) {
        if (const int64_t own = row_weight * x.total(i); own != weight) {
            weight = own;
            inverse = 1 / static_cast<double>(own);
        }
        Lanes<Sum> total = Lanes<Sum>{} + static_cast<Sum>(weight / 2);
        const ResampleAxis::Tap* taps = x.taps(i);
        for (size_t t = 0; t < x.tap_count(i); ++t) {
            Lanes<int32_t> from;
            std::memcpy(&from, sums + 3 * taps[t].source, sizeof from);
            total += __builtin_convertvector(from, Lanes<Sum>) * static_cast<Sum>(taps[t].weight);
        }
        // Half a unit more keeps whole quotients on their side of the rounding (total < 256 *
        // weight < 2^40), so that the product is exact and several times as fast as dividing.
        const Lanes<double> colour =
            (__builtin_convertvector(total, Lanes<double>) + 0.5) * inverse;
        const Lanes<uint8_t> bytes = __builtin_convertvector(
            __builtin_convertvector(colour, Lanes<int32_t>), Lanes<uint8_t>);
        std::memcpy(to, &bytes, 3);
    }
}

}  // namespace

void resample(ConstRgbView source, const ResampleAxis& x, const ResampleAxis& y, RgbView out) {
    // Columns first (long runs of adds over a whole row), then along the row.
    const auto width = static_cast<size_t>(source.width * 3);
    thread_local std::vector<int32_t> sums;
    sums.assign(width + kLanes, 0);
    int64_t widest = 0;
    for (int64_t i = 0; i < out.width; ++i) widest = std::max<int64_t>(widest, x.total(i));
    for (int64_t j = 0; j < out.height; ++j) {
        std::fill(sums.begin(), sums.end(), 0);
        const ResampleAxis::Tap* rows = y.taps(j);
        for (size_t t = 0; t < y.tap_count(j); ++t) {
            const uint8_t* from = source.row(rows[t].source);
            const auto weight = static_cast<int32_t>(rows[t].weight);
            for (size_t k = 0; k < width; ++k) sums[k] += weight * from[k];
        }
        const int64_t weight = y.total(j);
        if (256 * widest * weight <= INT32_MAX)
            resample_row<int32_t>(sums.data(), x, weight, out.width, out.row(j));
        else
            resample_row<int64_t>(sums.data(), x, weight, out.width, out.row(j));
    }
}

}  // namespace wsi
