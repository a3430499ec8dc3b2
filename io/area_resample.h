#pragma once

#include <vector>

#include "io/types/image.h"

namespace wsi {

/// One axis of a resampling: output pixel i (counted from the slide's origin) covers source pixels
/// [i * ratio, (i + 1) * ratio). Weights are integers that depend on i alone.
class ResampleAxis {
public:
    ResampleAxis(double ratio, int64_t first, int64_t count, int64_t source_size);
    /// Source pixels needed, [begin, end), inside [0, source_size).
    int64_t begin() const { return begin_; }
    int64_t end() const { return end_; }
    struct Tap {
        int32_t source;  ///< from begin()
        uint32_t weight;
    };
    /// Taps of output pixel k (from `first`); their weights add up to total(k) > 0.
    const Tap* taps(int64_t k) const { return taps_.data() + offsets_[static_cast<size_t>(k)]; }
    size_t tap_count(int64_t k) const {
        return offsets_[static_cast<size_t>(k) + 1] - offsets_[static_cast<size_t>(k)];
    }
    uint32_t total(int64_t k) const { return totals_[static_cast<size_t>(k)]; }

private:
    void add_area(double ratio, int64_t i, int64_t source_size);
    void add_linear(double ratio, int64_t i, int64_t source_size);
    int64_t begin_ = 0, end_ = 0;
    std::vector<Tap> taps_;
    std::vector<size_t> offsets_{0};
    std::vector<uint32_t> totals_;
};

/// Area average (ratio ≥ 1) or linear interpolation (ratio < 1) in integers. source: pixels
/// [x.begin(), x.end()) x [y.begin(), y.end()).
void resample(ConstRgbView source, const ResampleAxis& x, const ResampleAxis& y, RgbView out);

}  // namespace wsi
