#include "io/result_summary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace wsi {

namespace {

/// Unsigned order of the bits = order of the numbers.
uint32_t order_key(float v) {
    const auto bits = std::bit_cast<uint32_t>(v);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
float from_order_key(uint32_t key) {
    return std::bit_cast<float>(key & 0x80000000u ? key & 0x7FFFFFFFu : ~key);
}

/// Calls use(value) for all values of a column but NaN, in id order.
template <class Use>
void for_each_defined(const ColumnPasses& passes, Use&& use) {
    passes([&](std::span<const float> values) {
        for (const float v : values)
            if (!std::isnan(v)) use(v);
    });
}

constexpr int kTopShift = 21, kTopBits = 11, kMiddleShift = 10, kMiddleBits = 11, kLowBits = 10;
using TopCounts = std::array<uint64_t, size_t{1} << kTopBits>;  // of values by the key's top bits

/// Finds the values of given ranks by fixing 11, 11 and 10 bits of their keys, the first from
/// counts that are there already, the others in a pass each, in which every value is counted once
/// at most: begin(), add() all values, end().
class RankFinder {
public:
    RankFinder(const std::vector<uint64_t>& ranks, const TopCounts& counts) {
        for (const uint64_t rank : ranks) wanted_.push_back(narrowed({rank, 0}, counts, kTopShift));
    }
    /// shift, bits: the part of the keys that the pass is to find.
    void begin(int shift, int bits) {
        shift_ = shift;
        mask_ = (1u << bits) - 1;
        fixed_ = ~uint32_t{0} << (shift + bits);
        groups_.clear();
        group_of_.clear();
        for (const Wanted& w : wanted_) group_of_.push_back(find_or_add(w.key, size_t{1} << bits));
        // Most values have top bits that nobody asks for: one look-up tells.
        by_top_.fill(kNobody);
        for (size_t g = 0; g < groups_.size(); ++g)
            groups_[g].next =
                std::exchange(by_top_[groups_[g].key >> kTopShift], static_cast<uint8_t>(g));
    }
    void add(float v) {
        const uint32_t key = order_key(v);
        for (uint8_t g = by_top_[key >> kTopShift]; g != kNobody; g = groups_[g].next)
            if ((key & fixed_) == groups_[g].key) {
                ++groups_[g].counts[key >> shift_ & mask_];
                break;
            }
    }
    void end() {
        for (size_t i = 0; i < wanted_.size(); ++i)
            wanted_[i] = narrowed(wanted_[i], groups_[group_of_[i]].counts, shift_);
    }
    double value(size_t i) const { return static_cast<double>(from_order_key(wanted_[i].key)); }

private:
    static constexpr uint8_t kNobody = 255;
    struct Wanted {
        uint64_t rank;  // among the values that share the fixed bits
        uint32_t key;
    };
    /// Values that share their fixed bits, counted by the next bits.
    struct Group {
        uint32_t key;
        uint8_t next;  // another group with the same top bits, kNobody = none
        std::vector<uint64_t> counts;
    };

    static Wanted narrowed(Wanted w, std::span<const uint64_t> counts, int shift) {
        uint32_t bin = 0;
        while (w.rank >= counts[bin]) w.rank -= counts[bin++];
        w.key |= bin << shift;
        return w;
    }
    size_t find_or_add(uint32_t key, size_t bins) {
        for (size_t g = 0; g < groups_.size(); ++g)
            if (groups_[g].key == key) return g;
        groups_.push_back({key, kNobody, std::vector<uint64_t>(bins, 0)});
        return groups_.size() - 1;
    }

    std::vector<Wanted> wanted_;
    std::vector<Group> groups_;
    std::vector<size_t> group_of_;  // of wanted_[i]
    std::array<uint8_t, size_t{1} << kTopBits> by_top_{};
    uint32_t fixed_ = 0, mask_ = 0;
    int shift_ = 0;
};

}  // namespace

ColumnSummary summarise_column(const ColumnPasses& passes) {
    ColumnSummary s;
    double sum = 0;
    TopCounts top{};
    for_each_defined(passes, [&](float v) {
        ++s.count;
        sum += static_cast<double>(v);
        ++top[order_key(v) >> kTopShift];
    });
    if (s.count == 0) {
        s.mean = s.sd = s.quartile1 = s.median = s.quartile3 = s.least = s.most =
            std::numeric_limits<double>::quiet_NaN();
        return s;
    }
    s.mean = sum / static_cast<double>(s.count);
    const uint64_t last = s.count - 1;
    constexpr std::array<double, 5> kFractions{0, 0.25, 0.5, 0.75, 1};
    std::vector<uint64_t> ranks;
    for (const double f : kFractions) {
        const auto low = static_cast<uint64_t>(f * static_cast<double>(last));
        ranks.push_back(low);
        ranks.push_back(std::min(low + 1, last));
    }
    RankFinder finder(ranks, top);
    double squares = 0;
    finder.begin(kMiddleShift, kMiddleBits);
    for_each_defined(passes, [&](float v) {
        const double off = static_cast<double>(v) - s.mean;
        squares += off * off;
        finder.add(v);
    });
    finder.end();
    s.sd = std::sqrt(squares / static_cast<double>(s.count));
    finder.begin(0, kLowBits);
    for_each_defined(passes, [&](float v) { finder.add(v); });
    finder.end();
    const auto quantile = [&](size_t i) {
        const double at = kFractions[i] * static_cast<double>(last);
        const double low = finder.value(2 * i), high = finder.value(2 * i + 1);
        return low + (high - low) * (at - std::floor(at));
    };
    s.least = quantile(0);
    s.quartile1 = quantile(1);
    s.median = quantile(2);
    s.quartile3 = quantile(3);
    s.most = quantile(4);
    return s;
}

}  // namespace wsi
