#include "model/haematoxylin_vote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "model/blueness.h"
#include "model/classical_filters.h"
#include "model/haematoxylin_border.h"

namespace wsi {

namespace {

constexpr double kSquareUm = 1, kSurroundingsUm = 24;
constexpr double kBluenessShare = 7.5;  ///< of the weight, per unit of blueness that is missing
constexpr int kLogOddsUnit = 1024;      ///< steps per unit of log-odds
constexpr int kFraction = 65536;        ///< of one step, in factors

/// Side of an odd square, as the pixels on each side of its middle.
int radius_px(double side_um, Mpp mpp) {
    return std::max(1, static_cast<int>(std::lround(side_um / 2 / mpp.value)));
}

/// Log-odds of a probability; 0 and 255 stand for half a step within.
std::array<int, 256> make_log_odds() {
    std::array<int, 256> table;
    for (int p = 0; p < 256; ++p)
        table[static_cast<size_t>(p)] =
            static_cast<int>(std::lround(kLogOddsUnit * std::log((p + 0.5) / (255.5 - p))));
    return table;
}

constexpr int kMostLogOdds = 8 * kLogOddsUnit;

std::vector<uint8_t> make_probabilities() {
    std::vector<uint8_t> table(2 * kMostLogOdds + 1);
    for (size_t i = 0; i < table.size(); ++i) {
        const double odds = (static_cast<double>(i) - kMostLogOdds) / kLogOddsUnit;
        table[i] = static_cast<uint8_t>(std::lround(255 / (1 + std::exp(-odds))));
    }
    return table;
}

struct Scratch {
    DensityImage density, near, local;
    Blueness blueness;
    std::vector<uint32_t> sums;
};

/// usual: the slide's median blueness.
void vote(const HaematoxylinLevels& levels, int usual, double weight, const Scratch& s,
          GrayView probability) {
    static const std::array<int, 256> log_odds = make_log_odds();
    static const std::vector<uint8_t> probabilities = make_probabilities();
    // Both in units of the threshold, and then of log-odds.
    const int least = -levels.threshold * 3 / 2, most = levels.threshold;
    const auto per_missing = static_cast<int64_t>(
        std::lround(kBluenessShare * levels.threshold * kFraction / kBluenessUnit));
    const auto per_step =
        static_cast<int64_t>(std::lround(weight * kLogOddsUnit * kFraction / levels.threshold));
    for (int64_t y = 0; y < probability.height; ++y) {
        const uint16_t *near = s.near.view().row(y), *local = s.local.view().row(y);
        uint8_t* p = probability.row(y);
        for (int64_t x = 0; x < probability.width; ++x) {
            const int excess = std::clamp(near[x] - levels.limit(local[x]), least, most);
            const int64_t missing =
                std::min(0, s.blueness.at(x, y) - usual) * per_missing / kFraction;
            const int64_t said = std::max<int64_t>(excess + missing, least) * per_step / kFraction;
            p[x] = probabilities[static_cast<size_t>(
                kMostLogOdds +
                std::clamp<int64_t>(log_odds[p[x]] + said, -kMostLogOdds, kMostLogOdds))];
        }
    }
}

}  // namespace

HaematoxylinVote::HaematoxylinVote(std::unique_ptr<Segmenter> inner, double weight)
    : inner_(std::move(inner)), weight_(weight), spec_(inner_->input_spec()) {
    spec_.hash += fmt::format("+haematoxylin and blueness {}", weight);
}

int64_t HaematoxylinVote::working_bytes() const {
    const int64_t side = spec_.input_px();
    return inner_->working_bytes() + 7 * side * side * static_cast<int64_t>(sizeof(uint16_t));
}

std::vector<double> HaematoxylinVote::fit_slide(const SlideSample& sample) const {
    constexpr double kSlope = 1.25, kUsual = 0.69;  // NuInsSeg's training split
    const HaematoxylinBorder border = fit_haematoxylin_border(sample.patches);
    // Of a stain pair whose second stain marks nuclei, colour says nothing.
    const int blueness = sample.stains == StainSet::He
                             ? median_blueness(sample.patches, radius_px(kSquareUm, spec_.mpp))
                             : kLeastBlueness;
    std::vector<double> params{border.threshold(1, kSlope, kUsual), border.mean,
                               static_cast<double>(blueness)};
    const std::vector<double> own = inner_->fit_slide(sample);
    params.insert(params.end(), own.begin(), own.end());
    return params;
}

void HaematoxylinVote::segment(std::span<TileSlot* const> batch,
                               std::span<const double> slide_params) {
    thread_local Scratch s;
    constexpr size_t kOwn = 3;
    WSI_CHECK(slide_params.size() >= kOwn, slide_params.size(), " slide parameters");
    inner_->segment(batch, slide_params.subspan(kOwn));
    const HaematoxylinLevels levels(slide_params[0], slide_params[1]);
    const int usual = static_cast<int>(slide_params[2]);
    for (TileSlot* slot : batch) {
        const RgbImage& all = spec_.normalised ? slot->normalised : slot->rgb;
        const PixelRect whole{0, 0, all.width(), all.height()};
        const PixelRect inside = slot->inside.empty() ? whole : slot->inside;
        const ConstRgbView rgb = all.view().crop(inside);
        for (DensityImage* image : {&s.density, &s.near, &s.local})
            image->resize(rgb.width, rgb.height);
        haematoxylin_density(rgb, s.density);
        box_mean(s.density, s.near, radius_px(kSquareUm, spec_.mpp), s.sums);
        fill_unstained(rgb, s.near.view(), levels.mean, s.density);
        box_mean(s.density, s.local, radius_px(kSurroundingsUm, spec_.mpp), s.sums);
        s.blueness.measure(rgb, radius_px(kSquareUm, spec_.mpp));
        vote(levels, usual, weight_, s, slot->maps[kProbability].view().crop(inside));
    }
}

}  // namespace wsi
