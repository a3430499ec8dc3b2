#include <algorithm>
#include <cmath>
#include <limits>

#include "stages/feature_patch.h"

namespace wsi::features {

namespace {

constexpr std::array<const char*, 13> kNames{"asm",
                                             "contrast",
                                             "correlation",
                                             "sum_of_squares",
                                             "idm",
                                             "sum_average",
                                             "sum_variance",
                                             "sum_entropy",
                                             "entropy",
                                             "difference_variance",
                                             "difference_entropy",
                                             "imc1",
                                             "imc2"};
/// Densities from 0 to this fill the grey levels, the same for every nucleus and slide.
constexpr float kMostDensity = 2.5f;
constexpr size_t kOffsets = 4;  // right, down-left, down, down-right
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// c log2 c for counts, 0 at 0.
double count_log(uint32_t c) {
    static const auto table = [] {
        std::array<double, 4096> t{};
        for (size_t k = 1; k < t.size(); ++k)
            t[k] = static_cast<double>(k) * std::log2(static_cast<double>(k));
        return t;
    }();
    return c < table.size() ? table[c] : static_cast<double>(c) * std::log2(static_cast<double>(c));
}

/// Entropy in bits of counts that sum to n: −Σ c/n log2(c/n).
class Entropy {
public:
    explicit Entropy(double n) : n_(n) {}
    void add(uint32_t count, double times = 1) { sum_ += times * count_log(count); }
    double value() const { return std::max(0.0, std::log2(n_) - sum_ / n_); }

private:
    double n_, sum_ = 0;
};

}  // namespace

const FeatureSchema& HaralickFeatures::columns() {
    static const FeatureSchema columns = [] {
        FeatureSchema all;
        for (const char* name : kNames)
            for (const char* over : {"mean", "range"})
                all.push_back({std::string("nucleus_H_haralick_") + name + "_" + over,
                               std::string(name).ends_with("entropy") ? "bit" : "1",
                               std::string("Haralick's ") + name + " of H, " + over +
                                   " over four directions"});
        return all;
    }();
    return columns;
}

// Counts are kept for i ≤ j only and as a list of what was touched, so that a matrix of 32 x 32
// costs no more than the nucleus has pairs. A count off the diagonal stands for (i, j) and (j, i),
// one on it is already twice the pairs.
bool HaralickFeatures::measure(const Patch& patch, size_t offset,
                               std::array<double, kFeatures>& out) {
    const auto levels = static_cast<size_t>(levels_);
    const size_t width = patch.width(), height = patch.height();
    const size_t steps[kOffsets] = {1, width - 1, width, width + 1};
    touched_.clear();
    uint32_t total = 0;
    for (const uint32_t i : patch.nucleus) {
        const size_t x = i % width, to = i + steps[offset];
        if ((offset == 1 && x == 0) || ((offset == 0 || offset == 3) && x + 1 == width)) continue;
        if (to >= width * height || patch.part[to] != Patch::kNucleus) continue;
        const auto [low, high] = std::minmax(grey_[i], grey_[to]);
        const auto cell = static_cast<uint16_t>(low * kMostLevels + high);
        if (counts_[cell] == 0) touched_.push_back(cell);
        counts_[cell] += low == high ? 2 : 1;
        total += 2;
    }
    if (total == 0) return false;
    const double n = total;
    std::array<uint32_t, kMostLevels> marginal{}, difference{};
    std::array<uint32_t, 2 * kMostLevels> sum{};
    double squares = 0, product = 0;
    Entropy joint(n);
    for (const uint16_t cell : touched_) {
        const uint32_t c = counts_[cell];
        counts_[cell] = 0;
        const size_t i = cell / kMostLevels, j = cell % kMostLevels;
        const uint32_t times = i == j ? 1 : 2;
        squares += static_cast<double>(times) * c * c;
        product += static_cast<double>(times * i * j) * c;
        joint.add(c, times);
        marginal[i] += c;
        if (i != j) marginal[j] += c;
        sum[i + j] += times * c;
        difference[j - i] += times * c;
    }
    double mean = 0, second = 0, contrast = 0, idm = 0, sum_mean = 0, sum_second = 0, p_squares = 0;
    Entropy one(n), sums(n), differences(n);
    for (size_t k = 0; k < levels; ++k) {
        const auto value = static_cast<double>(k);
        mean += value * marginal[k] / n;
        second += value * value * marginal[k] / n;
        contrast += value * value * difference[k] / n;
        idm += difference[k] / (1 + value * value) / n;
        p_squares += difference[k] / n * (difference[k] / n);
        one.add(marginal[k]);
        differences.add(difference[k]);
    }
    for (size_t k = 0; k + 1 < 2 * levels; ++k) {
        const auto value = static_cast<double>(k);
        sum_mean += value * sum[k] / n;
        sum_second += value * value * sum[k] / n;
        sums.add(sum[k]);
    }
    const double variance = second - mean * mean, hx = one.value(), hxy = joint.value();
    const bool flat = touched_.size() == 1 && marginal[touched_[0] / kMostLevels] == total;
    // Of a symmetric matrix HXY1 = HXY2 = 2 HX.
    out = {squares / (n * n),
           contrast,
           flat ? kUndefined : (product / n - mean * mean) / variance,
           flat ? 0 : variance,
           idm,
           sum_mean,
           sum_second - sum_mean * sum_mean,
           sums.value(),
           hxy,
           p_squares / static_cast<double>(levels) -
               1 / (static_cast<double>(levels) * static_cast<double>(levels)),
           differences.value(),
           flat ? kUndefined : (hxy - 2 * hx) / hx,
           std::sqrt(std::max(0.0, 1 - std::exp(-2 * (2 * hx - hxy))))};
    return true;
}

void HaralickFeatures::operator()(const Patch& patch, float* out) {
    const auto& plane = patch.planes[kH];
    const auto top = static_cast<float>(levels_ - 1);
    grey_.resize(plane.size());
    for (size_t i = 0; i < plane.size(); ++i) {
        const float level = std::min(plane[i], kMostDensity) * (top / kMostDensity);
        grey_[i] = static_cast<uint8_t>(level + 0.5f);
    }
    std::array<double, kFeatures> sum{}, least, most, one;
    least.fill(INFINITY);
    most.fill(-INFINITY);
    double count = 0;
    for (size_t offset = 0; offset < kOffsets; ++offset) {
        if (!measure(patch, offset, one)) continue;
        ++count;
        for (size_t f = 0; f < kFeatures; ++f) {
            sum[f] += one[f];
            least[f] = std::min(least[f], one[f]);
            most[f] = std::max(most[f], one[f]);
        }
    }
    for (size_t f = 0; f < kFeatures; ++f) {
        const double mean = count > 0 ? sum[f] / count : kUndefined;
        *out++ = static_cast<float>(mean);
        *out++ = static_cast<float>(std::isnan(mean) ? kUndefined : most[f] - least[f]);
    }
}

}  // namespace wsi::features
