#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

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

}  // namespace

FeatureSchema HaralickFeatures::columns(const std::string& place, const std::string& what) {
    FeatureSchema all;
    for (const char* name : kNames)
        for (const char* over : {"mean", "range"})
            all.push_back({place + "_haralick_" + name + "_" + over,
                           std::string(name).ends_with("entropy") ? "bit" : "1",
                           std::string("Haralick's ") + name + " of " + what + ", " + over +
                               " over four directions"});
    return all;
}

// Counts are kept for i ≤ j only and as a list of what was touched, so that a matrix of 32 x 32
// costs no more than there are pairs. A count off the diagonal stands for (i, j) and (j, i),
// one on it is already twice the pairs.
uint32_t HaralickFeatures::count_pairs(const Texture& texture, size_t offset) {
    const size_t width = texture.width, height = texture.height;
    const size_t steps[kOffsets] = {1, width - 1, width, width + 1};
    const size_t step = steps[offset], size = width * height;
    const uint8_t *part = texture.part, *grey = grey_.data();
    // Only at the slide's end pixels reach the density's, where a step could wrap to another row.
    const auto wraps = [&](size_t i) {
        const size_t x = i % width;
        return offset == 1 ? x == 0 : offset != 2 && x + 1 == width;
    };
    touched_.resize(texture.pixels.size());
    size_t cells = 0;
    uint32_t total = 0;
    for (const uint32_t i : texture.pixels) {
        const size_t to = i + step;
        if (to >= size || part[to] != texture.own || (texture.at_end && wraps(i))) continue;
        const uint32_t low = std::min(grey[i], grey[to]), high = std::max(grey[i], grey[to]);
        const auto cell = static_cast<uint16_t>(low * kMostLevels + high);
        uint32_t& count = counts_[cell];
        touched_[cells] = cell;  // written always, kept when it is new: no branch to mispredict
        cells += count == 0;
        count += 1u + (low == high);
        total += 2;
    }
    touched_.resize(cells);
    return total;
}

/// Sums of counts by one grey level, by difference and by sum of two, all of them whole numbers.
struct HaralickFeatures::Sums {
    std::array<uint32_t, kMostLevels> marginal{}, difference{};
    std::array<uint32_t, 2 * kMostLevels> sum{};
    uint64_t squares = 0, product = 0;
    double logs = 0;

    void add(uint16_t cell, uint32_t c) {
        const size_t i = cell / kMostLevels, j = cell % kMostLevels;
        const uint32_t times = i == j ? 1 : 2;
        squares += uint64_t{times} * c * c;
        product += uint64_t{times} * i * j * c;
        logs += times * count_log(c);
        marginal[i] += c;
        if (i != j) marginal[j] += c;
        sum[i + j] += times * c;
        difference[j - i] += times * c;
    }
};

bool HaralickFeatures::measure(const Texture& texture, size_t offset,
                               std::array<double, kFeatures>& out) {
    static const auto closeness = [] {
        std::array<double, kMostLevels> w;
        for (size_t k = 0; k < kMostLevels; ++k) w[k] = 1 / (1 + static_cast<double>(k * k));
        return w;
    }();
    const uint32_t total = count_pairs(texture, offset);
    if (total == 0) return false;
    Sums s;
    for (const uint16_t cell : touched_) s.add(cell, std::exchange(counts_[cell], 0));
    const double n = total, levels = levels_;
    uint64_t first = 0, second = 0, contrast = 0, sum_second = 0, difference_squares = 0;
    double idm = 0, one_logs = 0, difference_logs = 0, sum_logs = 0;
    for (size_t k = 0; k < kMostLevels; ++k) {
        first += k * s.marginal[k];
        second += k * k * s.marginal[k];
        contrast += k * k * s.difference[k];
        difference_squares += uint64_t{s.difference[k]} * s.difference[k];
        idm += s.difference[k] * closeness[k];
        one_logs += count_log(s.marginal[k]);
        difference_logs += count_log(s.difference[k]);
    }
    for (size_t k = 0; k + 1 < 2 * kMostLevels; ++k) {
        sum_second += k * k * s.sum[k];
        sum_logs += count_log(s.sum[k]);
    }
    const auto entropy = [n, most = std::log2(n)](double logs) {
        return std::max(0.0, most - logs / n);
    };
    const auto whole = [](uint64_t v) { return static_cast<double>(v); };
    const double mean = whole(first) / n, variance = whole(second) / n - mean * mean,
                 sum_mean = 2 * mean, hx = entropy(one_logs), hxy = entropy(s.logs);
    const bool flat = touched_.size() == 1 && s.marginal[touched_[0] / kMostLevels] == total;
    // Of a symmetric matrix HXY1 = HXY2 = 2 HX.
    out = {whole(s.squares) / (n * n),
           whole(contrast) / n,
           flat ? kUndefined : (whole(s.product) / n - mean * mean) / variance,
           flat ? 0 : variance,
           idm / n,
           sum_mean,
           whole(sum_second) / n - sum_mean * sum_mean,
           entropy(sum_logs),
           hxy,
           whole(difference_squares) / (n * n) / levels - 1 / (levels * levels),
           entropy(difference_logs),
           flat ? kUndefined : (hxy - 2 * hx) / hx,
           std::sqrt(std::max(0.0, 1 - std::exp(-2 * (2 * hx - hxy))))};
    return true;
}

void HaralickFeatures::find_levels(const Texture& texture) {
    const float* plane = texture.density;
    float least = 0, most = kMostDensity;
    if (spans_ == Grey::Own && !texture.pixels.empty()) {
        least = most = plane[texture.pixels.front()];
        for (const uint32_t i : texture.pixels) {
            least = std::min(least, plane[i]);
            most = std::max(most, plane[i]);
        }
    }
    const float scale = most > least ? static_cast<float>(levels_ - 1) / (most - least) : 0;
    const size_t size = texture.width * texture.height;
    grey_.resize(size);
    uint8_t* grey = grey_.data();
    for (size_t i = 0; i < size; ++i) {
        const float level = (std::min(std::max(plane[i], least), most) - least) * scale;
        grey[i] = static_cast<uint8_t>(static_cast<int32_t>(level + 0.5f));
    }
}

void HaralickFeatures::operator()(const Texture& texture, float* out) {
    find_levels(texture);
    std::array<double, kFeatures> sum{}, least, most, one;
    least.fill(INFINITY);
    most.fill(-INFINITY);
    double count = 0;
    for (size_t offset = 0; offset < kOffsets; ++offset) {
        if (!measure(texture, offset, one)) continue;
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
