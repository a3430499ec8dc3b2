#include "tests/support/planted.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace wsi::test {

namespace {
constexpr double kBin = 256;

/// 0 at the centre, 1 on the border.
double radial(const PlantedNucleus& n, double x, double y) {
    const double c = std::cos(n.angle), s = std::sin(n.angle);
    const double u = (c * (x - n.x) + s * (y - n.y)) / n.a,
                 v = (-s * (x - n.x) + c * (y - n.y)) / n.b;
    return std::sqrt(u * u + v * v);
}

/// Share of a square pixel inside, by samples; exact 0 and 1 away from the border.
double coverage(const PlantedNucleus& n, double x, double y, double side, int samples) {
    const double slack = side / std::min(n.a, n.b), far = std::max(n.a, n.b) * (1 + slack);
    if (std::abs(x - n.x) > far || std::abs(y - n.y) > far) return 0;
    const double r = radial(n, x, y);
    if (r > 1 + slack) return 0;
    if (r < 1 - slack) return 1;
    int inside = 0;
    for (int j = 0; j < samples; ++j)
        for (int i = 0; i < samples; ++i)
            inside += radial(n, x + ((i + 0.5) / samples - 0.5) * side,
                             y + ((j + 0.5) / samples - 0.5) * side) <= 1;
    return static_cast<double>(inside) / (samples * samples);
}

uint32_t hash(int64_t x, int64_t y) {
    uint64_t h = static_cast<uint64_t>(x) * 0x9E3779B97F4A7C15u ^
                 static_cast<uint64_t>(y) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return static_cast<uint32_t>(h >> 32);
}
}  // namespace

double PlantedNucleus::area() const { return std::numbers::pi * a * b; }

PlantedNuclei::PlantedNuclei(std::vector<PlantedNucleus> nuclei) : nuclei_(std::move(nuclei)) {
    double right = 1, bottom = 1;
    for (const PlantedNucleus& n : nuclei_) {
        most_radius_ = std::max({most_radius_, n.a, n.b});
        right = std::max(right, n.x + 1);
        bottom = std::max(bottom, n.y + 1);
    }
    columns_ = static_cast<int64_t>(right / kBin) + 1;
    bins_.resize(static_cast<size_t>(columns_ * (static_cast<int64_t>(bottom / kBin) + 1)));
    for (uint32_t i = 0; i < nuclei_.size(); ++i) {
        const auto column = static_cast<int64_t>(std::max(0.0, nuclei_[i].x) / kBin);
        const auto row = static_cast<int64_t>(std::max(0.0, nuclei_[i].y) / kBin);
        bins_[static_cast<size_t>(row * columns_ + column)].push_back(i);
    }
}

std::vector<const PlantedNucleus*> PlantedNuclei::near(double x0, double y0, double x1,
                                                       double y1) const {
    const double r = most_radius_ + 4;
    const int64_t rows = std::ssize(bins_) / columns_;
    const auto bin = [](double v, int64_t count) {
        return std::clamp<int64_t>(static_cast<int64_t>(std::floor(v / kBin)), 0, count - 1);
    };
    std::vector<const PlantedNucleus*> out;
    for (int64_t row = bin(y0 - r, rows); row <= bin(y1 + r, rows); ++row)
        for (int64_t column = bin(x0 - r, columns_); column <= bin(x1 + r, columns_); ++column)
            for (const uint32_t i : bins_[static_cast<size_t>(row * columns_ + column)]) {
                const PlantedNucleus& n = nuclei_[i];
                if (n.x + r >= x0 && n.x - r <= x1 && n.y + r >= y0 && n.y - r <= y1)
                    out.push_back(&n);
            }
    return out;
}

void PlantedNuclei::paint_maps(const PixelRect& rect, double downsample, GrayView probability,
                               GrayView distance) const {
    for (int64_t y = 0; y < rect.height; ++y) {
        std::fill_n(probability.row(y), rect.width, uint8_t{0});
        std::fill_n(distance.row(y), rect.width, uint8_t{0});
    }
    const auto level0 = [downsample](int64_t v) { return static_cast<double>(v) * downsample; };
    for (const PlantedNucleus* n :
         near(level0(rect.x), level0(rect.y), level0(rect.right()), level0(rect.bottom()))) {
        const double r = std::max(n->a, n->b) + downsample;
        const auto clip = [&](double v, int64_t low, int64_t high) {
            return std::clamp<int64_t>(static_cast<int64_t>(std::floor(v / downsample)), low, high);
        };
        for (int64_t y = clip(n->y - r, rect.y, rect.bottom());
             y < clip(n->y + r, rect.y - 1, rect.bottom() - 1) + 1; ++y)
            for (int64_t x = clip(n->x - r, rect.x, rect.right());
                 x < clip(n->x + r, rect.x - 1, rect.right() - 1) + 1; ++x) {
                const double cx = level0(x) + downsample / 2, cy = level0(y) + downsample / 2;
                const auto p =
                    static_cast<uint8_t>(std::lround(255 * coverage(*n, cx, cy, downsample, 8)));
                const auto d =
                    static_cast<uint8_t>(std::lround(255 * std::max(0.0, 1 - radial(*n, cx, cy))));
                uint8_t& old_p = probability(x - rect.x, y - rect.y);
                uint8_t& old_d = distance(x - rect.x, y - rect.y);
                old_p = std::max(old_p, p);
                old_d = std::max(old_d, d);
            }
    }
}

PixelSource PlantedNuclei::stained() const {
    return [this](const PixelRect& rect, RgbView out) {
        const auto nuclei =
            near(static_cast<double>(rect.x), static_cast<double>(rect.y),
                 static_cast<double>(rect.right()), static_cast<double>(rect.bottom()));
        for (int64_t y = 0; y < rect.height; ++y)
            for (int64_t x = 0; x < rect.width; ++x) {
                const int64_t gx = rect.x + x, gy = rect.y + y;
                double inside = 0;
                for (const PlantedNucleus* n : nuclei)
                    inside = std::max(inside, coverage(*n, static_cast<double>(gx) + 0.5,
                                                       static_cast<double>(gy) + 0.5, 1, 4));
                const double noise = static_cast<double>(hash(gx, gy) % 1000) / 1000 - 0.5;
                const double h = 0.10 + 1.1 * inside + 0.06 * noise;
                const double e =
                    0.30 * (1 - 0.6 * inside) +
                    0.08 * (static_cast<double>(hash(gx / 24, gy / 24) % 1000) / 1000 - 0.5);
                static constexpr double kH[3] = {0.5626, 0.7201, 0.4062},
                                        kE[3] = {0.2159, 0.8012, 0.5581};
                for (int c = 0; c < 3; ++c)
                    out(x, y, c) = static_cast<uint8_t>(
                        std::clamp(240 * std::exp(-(kH[c] * h + kE[c] * e)), 0.0, 255.0));
            }
    };
}

std::vector<PlantedNucleus> plant_grid(PixelSize slide, double pitch, double radius,
                                       uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto uniform = [&random](double low, double high) {
        return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
    };
    std::vector<PlantedNucleus> out;
    for (double y = pitch / 2; y < static_cast<double>(slide.height); y += pitch)
        for (double x = pitch / 2; x < static_cast<double>(slide.width); x += pitch) {
            PlantedNucleus n;
            n.a = radius * uniform(0.8, 1.3);
            n.b = radius * uniform(0.7, 1.1);
            n.angle = uniform(0, std::numbers::pi);
            const double room = std::max(0.0, pitch / 2 - std::max(n.a, n.b) - 3);
            n.x = x + uniform(-room, room);
            n.y = y + uniform(-room, room);
            out.push_back(n);
        }
    return out;
}

PixelSource plain_tissue() {
    return [](const PixelRect& rect, RgbView out) {
        for (int64_t y = 0; y < rect.height; ++y)
            for (int64_t x = 0; x < rect.width; ++x) {
                const bool odd = ((rect.x + x) / 16 + (rect.y + y) / 16) % 2 != 0;
                const uint8_t rgb[3] = {static_cast<uint8_t>(odd ? 200 : 170),
                                        static_cast<uint8_t>(odd ? 140 : 110), 180};
                std::copy_n(rgb, 3, out.at(x, y));
            }
    };
}

}  // namespace wsi::test
