#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace wsi {

/// Mixes 64 bits so that neighbouring inputs give unrelated outputs (Steele et al. 2014).
constexpr uint64_t splitmix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/// A stream of random numbers that is a pure function of its seed, the same on every machine.
class Random {
public:
    explicit Random(uint64_t seed) : state_(splitmix(seed)) {}
    uint64_t next() { return splitmix(state_++); }
    /// [0, 1)
    double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
    /// [least, most)
    double uniform(double least, double most) { return least + (most - least) * uniform(); }
    bool chance(double probability) { return uniform() < probability; }
    /// [0, count)
    int64_t index(int64_t count) {
        return static_cast<int64_t>(uniform() * static_cast<double>(count));
    }
    /// Standard normal (Box and Muller).
    double normal() {
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

private:
    uint64_t state_;
};

}  // namespace wsi
