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

/// Finds the values of given ranks by fixing 11, 11 and 10 bits of their keys in three passes, in
/// each of which every value is counted once at most.
class RankFinder {
public:
    explicit RankFinder(const std::vector<uint64_t>& ranks) {
        for (const uint64_t rank : ranks) wanted_.push_back({rank, 0});
    }
    void run(const ColumnPasses& passes) {
        for (const auto& [shift, bits] : {std::pair{21, 11}, std::pair{10, 11}, std::pair{0, 10}})
            pass(passes, shift, bits);
    }
    double value(size_t i) const { return static_cast<double>(from_order_key(wanted_[i].key)); }

private:
    static constexpr int kTopShift = 21;
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

    size_t find_or_add(std::vector<Group>& groups, uint32_t key, size_t bins) const {
        for (size_t g = 0; g < groups.size(); ++g)
            if (groups[g].key == key) return g;
        groups.push_back({key, kNobody, std::vector<uint64_t>(bins, 0)});
        return groups.size() - 1;
    }

    void pass(const ColumnPasses& passes, int shift, int bits) {
        const uint32_t fixed = shift == kTopShift ? 0 : ~uint32_t{0} << (shift + bits);
        const uint32_t mask = (1u << bits) - 1;
        std::vector<Group> groups;
        std::vector<size_t> group_of;
        for (const Wanted& w : wanted_)
            group_of.push_back(find_or_add(groups, w.key, size_t{1} << bits));
        // Most values have top bits that nobody asks for: one look-up tells.
        std::vector<uint8_t> by_top(size_t{1} << 11, fixed == 0 ? uint8_t{0} : kNobody);
        if (fixed != 0)
            for (size_t g = 0; g < groups.size(); ++g)
                groups[g].next =
                    std::exchange(by_top[groups[g].key >> kTopShift], static_cast<uint8_t>(g));
        passes([&](std::span<const float> values) {
            for (const float v : values) {
                if (std::isnan(v)) continue;
                const uint32_t key = order_key(v);
                for (uint8_t g = by_top[key >> kTopShift]; g != kNobody; g = groups[g].next)
                    if ((key & fixed) == groups[g].key) {
                        ++groups[g].counts[key >> shift & mask];
                        break;
                    }
            }
        });
        for (size_t i = 0; i < wanted_.size(); ++i) {
            const std::vector<uint64_t>& counts = groups[group_of[i]].counts;
            uint32_t bin = 0;
            while (wanted_[i].rank >= counts[bin]) wanted_[i].rank -= counts[bin++];
            wanted_[i].key |= bin << shift;
        }
    }
    std::vector<Wanted> wanted_;
};

}  // namespace

ColumnSummary summarise_column(const ColumnPasses& passes) {
    ColumnSummary s;
    double sum = 0;
    passes([&](std::span<const float> values) {
        for (const float v : values)
            if (!std::isnan(v)) {
                ++s.count;
                sum += static_cast<double>(v);
            }
    });
    if (s.count == 0) {
        s.mean = s.sd = s.quartile1 = s.median = s.quartile3 = s.least = s.most =
            std::numeric_limits<double>::quiet_NaN();
        return s;
    }
    s.mean = sum / static_cast<double>(s.count);
    double squares = 0;
    passes([&](std::span<const float> values) {
        for (const float v : values)
            if (!std::isnan(v))
                squares += (static_cast<double>(v) - s.mean) * (static_cast<double>(v) - s.mean);
    });
    s.sd = std::sqrt(squares / static_cast<double>(s.count));
    const uint64_t last = s.count - 1;
    constexpr std::array<double, 5> kFractions{0, 0.25, 0.5, 0.75, 1};
    std::vector<uint64_t> ranks;
    for (const double f : kFractions) {
        const auto low = static_cast<uint64_t>(f * static_cast<double>(last));
        ranks.push_back(low);
        ranks.push_back(std::min(low + 1, last));
    }
    RankFinder finder(ranks);
    finder.run(passes);
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
