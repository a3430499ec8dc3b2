#include <algorithm>
#include <cmath>
#include <limits>

#include "stages/feature_patch.h"

namespace wsi::features {

namespace {

constexpr int64_t kRadius = 4;  // 4 sigma, as scikit-image
/// Edges of Canny's filter: gradients in OD per work pixel after smoothing with sigma 1.
constexpr float kLow = 0.05f, kHigh = 0.1f;

std::array<float, 2 * kRadius + 1> gaussian() {
    std::array<float, 2 * kRadius + 1> w;
    double sum = 0;
    for (int64_t k = -kRadius; k <= kRadius; ++k)
        sum += std::exp(-0.5 * static_cast<double>(k * k));
    for (int64_t k = -kRadius; k <= kRadius; ++k)
        w[static_cast<size_t>(k + kRadius)] =
            static_cast<float>(std::exp(-0.5 * static_cast<double>(k * k)) / sum);
    return w;
}

/// numpy.gradient along one axis: central, one-sided at the ends.
float slope(const float* plane, size_t i, size_t step, size_t at, size_t count) {
    if (count < 2) return 0;
    if (at == 0) return plane[i + step] - plane[i];
    if (at + 1 == count) return plane[i] - plane[i - step];
    return (plane[i + step] - plane[i - step]) / 2;
}

void clear_border(size_t width, size_t height, std::vector<float>& plane) {
    std::fill_n(plane.begin(), width, 0.0F);
    std::fill_n(plane.end() - static_cast<std::ptrdiff_t>(width), width, 0.0F);
    for (size_t y = 0; y < height; ++y) plane[y * width] = plane[(y + 1) * width - 1] = 0;
}

}  // namespace

FeatureSchema GradientFeatures::columns(const std::string& place, const std::string& what) {
    return {
        {place + "_gradient_mean", "od/px", "mean gradient magnitude of " + what},
        {place + "_gradient_sd", "od/px", "standard deviation of that magnitude"},
        {place + "_gradient_skewness", "1", "skewness of that magnitude"},
        {place + "_gradient_kurtosis", "1", "excess kurtosis of that magnitude"},
        {place + "_gradient_hist_entropy", "nat", "entropy of a histogram of ten bins of it"},
        {place + "_gradient_hist_energy", "1", "energy of a histogram of ten bins of it"},
        {place + "_canny_sum", "px", "Canny edge pixels of " + what},
        {place + "_canny_mean", "1", "share of Canny edge pixels of " + what},
    };
}

/// Separable Gaussian; beyond the density, which only the slide's end can cut, the last pixel
/// counts.
void GradientFeatures::smooth(const Texture& texture) {
    static const auto weights = gaussian();
    const size_t width = texture.width, height = texture.height;
    const float* plane = texture.density;
    half_.resize(width);
    smooth_.resize(width * height);
    padded_.resize(width + 2 * kRadius);
    for (size_t y = 0; y < height; ++y) {
        const float* rows[2 * kRadius + 1];
        for (int64_t k = -kRadius; k <= kRadius; ++k)
            rows[k + kRadius] =
                plane + static_cast<size_t>(std::clamp<int64_t>(static_cast<int64_t>(y) + k, 0,
                                                                static_cast<int64_t>(height) - 1)) *
                            width;
        float* middle = padded_.data() + kRadius;
        for (size_t x = 0; x < width; ++x) {
            float sum = 0;
            for (size_t k = 0; k < weights.size(); ++k) sum += weights[k] * rows[k][x];
            middle[x] = sum;
        }
        std::fill_n(padded_.begin(), kRadius, middle[0]);
        std::fill_n(padded_.end() - kRadius, kRadius, middle[width - 1]);
        const float* from = padded_.data();
        float* to = smooth_.data() + y * width;
        for (size_t x = 0; x < width; ++x) {
            float sum = 0;
            for (size_t k = 0; k < weights.size(); ++k) sum += weights[k] * from[x + k];
            to[x] = sum;
        }
    }
}

/// Sobel's derivatives and magnitude per pixel; 0 on the density's own border.
void GradientFeatures::find_slopes(size_t width, size_t height) {
    for (auto* plane : {&down_, &right_, &slope_}) plane->resize(width * height);
    clear_border(width, height, slope_);
    for (size_t y = 1; y + 1 < height; ++y) {
        const float* a = smooth_.data() + (y - 1) * width;
        const float *b = a + width, *c = b + width;
        float *downs = down_.data() + y * width, *rights = right_.data() + y * width,
              *slopes = slope_.data() + y * width;
        for (size_t x = 1; x + 1 < width; ++x) {
            const float down = (c[x - 1] - a[x - 1]) + 2 * (c[x] - a[x]) + (c[x + 1] - a[x + 1]);
            const float right =
                (a[x + 1] - a[x - 1]) + 2 * (b[x + 1] - b[x - 1]) + (c[x + 1] - c[x - 1]);
            downs[x] = down / 8;
            rights[x] = right / 8;
            slopes[x] = std::sqrt(down * down + right * right) / 8;
        }
    }
}

/// True where no interpolated neighbour along the gradient is steeper.
bool GradientFeatures::is_crest(size_t i, size_t width) const {
    const float down = down_[i], right = right_[i];
    const float steep = std::max(std::abs(down), std::abs(right));
    const float w = std::min(std::abs(down), std::abs(right)) / steep;
    // One step along the larger derivative and one along both; signs only matter relative to each
    // other, since both directions are looked at.
    const bool same = (down >= 0) == (right >= 0);
    const auto row = static_cast<std::ptrdiff_t>(width);
    const std::ptrdiff_t diagonal = same ? row + 1 : row - 1;
    const std::ptrdiff_t straight = std::abs(down) > std::abs(right) ? row : (same ? 1 : -1);
    const float* m = slope_.data() + i;
    return m[diagonal] * w + m[straight] * (1 - w) <= *m &&
           m[-diagonal] * w + m[-straight] * (1 - w) <= *m;
}

/// Crests at least kLow steep that are 8-connected, through such crests of the same part, to one
/// of at least kHigh.
size_t GradientFeatures::count_edges(const Texture& texture) {
    enum : uint8_t { kNone, kWeak, kTaken };
    const size_t width = texture.width, height = texture.height;
    state_.assign(width * height, kNone);
    open_.clear();
    for (const uint32_t i : texture.pixels) {
        if (slope_[i] < kLow) continue;
        if (texture.at_end) {
            const size_t x = i % width, y = i / width;
            if (x == 0 || y == 0 || x + 1 == width || y + 1 == height) continue;
        }
        if (!is_crest(i, width)) continue;
        state_[i] = slope_[i] >= kHigh ? kTaken : kWeak;
        if (state_[i] == kTaken) open_.push_back(i);
    }
    for (size_t k = 0; k < open_.size(); ++k)
        for (const size_t row : {open_[k] - width, size_t{open_[k]}, open_[k] + width})
            for (const size_t i : {row - 1, row, row + 1})
                if (state_[i] == kWeak) {
                    state_[i] = kTaken;
                    open_.push_back(static_cast<uint32_t>(i));
                }
    return open_.size();
}

void GradientFeatures::operator()(const Texture& texture, std::vector<float>& values, float* out) {
    const size_t width = texture.width, height = texture.height;
    const float* plane = texture.density;
    if (texture.pixels.empty()) {
        std::fill_n(out, kColumns, std::numeric_limits<float>::quiet_NaN());
        return;
    }
    values.resize(texture.pixels.size());
    for (size_t k = 0; k < values.size(); ++k) {
        const size_t i = texture.pixels[k];
        const float down = texture.at_end ? slope(plane, i, width, i / width, height)
                                          : (plane[i + width] - plane[i - width]) / 2,
                    right = texture.at_end ? slope(plane, i, 1, i % width, width)
                                           : (plane[i + 1] - plane[i - 1]) / 2;
        values[k] = std::sqrt(down * down + right * right);
    }
    const Summary s = unordered_summary(values);
    smooth(texture);
    find_slopes(width, height);
    const auto edges = static_cast<double>(count_edges(texture));
    for (const double v : {s.mean, s.sd, s.skewness, s.kurtosis, s.hist_entropy, s.hist_energy,
                           edges, edges / static_cast<double>(texture.pixels.size())})
        *out++ = static_cast<float>(v);
}

}  // namespace wsi::features
