#pragma once

#include <cstdint>
#include <cstring>

namespace wsi::nn {

/// Eight floats that go through the same arithmetic; one register with AVX, emulated without.
using Lanes = float __attribute__((vector_size(32)));
constexpr int64_t kLanes = 8;

template <class Value>
Value load(const float* from) {
    Value value;
    std::memcpy(&value, from, sizeof(Value));
    return value;
}

template <class Value>
void store(float* to, const Value& value) {
    std::memcpy(to, &value, sizeof(Value));
}

inline Lanes max_of(const Lanes& a, const Lanes& b) { return a > b ? a : b; }
inline Lanes min_of(const Lanes& a, const Lanes& b) { return a < b ? a : b; }

/// e^x to 2e-7 of its value for |x| <= 80, clamped beyond: 2^n from the exponent's bits times the
/// polynomial of Cephes' expf.
inline Lanes exp_of(const Lanes& value) {
    using Bits = int32_t __attribute__((vector_size(32)));
    const Lanes zero{};
    const Lanes x = max_of(min_of(value, zero + 80.0F), zero - 80.0F);
    const Lanes shift = zero + 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
    const Lanes shifted = x * 1.44269504F + shift, n = shifted - shift;
    const Lanes r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
    Lanes p = r * 1.9875691500e-4F + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * r * r + r + 1.0F;
    Bits bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + (127 << 23);
    Lanes power;
    std::memcpy(&power, &bits, sizeof power);
    return p * power;
}

inline Lanes sigmoid_of(const Lanes& x) { return 1.0F / (1.0F + exp_of(-x)); }

}  // namespace wsi::nn
