#include <limits>

#include "stages/metrics.h"

namespace wsi {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kEps = 1e-6;

double ratio(double part, double whole, double if_empty) {
    return whole > 0 ? part / whole : if_empty;
}
double ratio(int64_t part, int64_t whole, double if_empty) {
    return ratio(static_cast<double>(part), static_cast<double>(whole), if_empty);
}

/// What a score of nuclei is worth where neither image has any.
double if_neither(Compat compat) {
    switch (compat) {
        case Compat::Ours:
        case Compat::Paper: return 1;
        case Compat::HoverNet: return kUndefined;
        case Compat::Conic: return 0;
    }
    return kUndefined;
}

/// Pixels of one class, by truth and prediction.
struct ClassPixels {
    int64_t both, truth_only, found_only;
    int64_t truth() const { return both + truth_only; }
    int64_t either() const { return both + truth_only + found_only; }
    double f1(double if_empty) const { return ratio(2 * both, either() + both, if_empty); }
    double iou(double if_empty) const { return ratio(both, either(), if_empty); }
};

void semantic(const MetricCounts& c, Compat compat, Metrics& m) {
    const ClassPixels nuclei{c.both_px, c.truth_only_px, c.found_only_px};
    const ClassPixels background{c.neither_px, c.found_only_px, c.truth_only_px};
    const double empty = compat == Compat::Paper ? 0 : if_neither(compat);
    m.dice_fg = nuclei.f1(empty);
    m.iou_fg = nuclei.iou(empty);
    const int classes = (nuclei.either() > 0) + (background.either() > 0);
    m.miou_2c = ratio(nuclei.iou(0) + background.iou(0), double(classes), kUndefined);
    const int64_t pixels = nuclei.truth() + background.truth();
    const auto weighted = [&](double of_nuclei, double of_background) {
        return ratio(of_nuclei * static_cast<double>(nuclei.truth()) +
                         of_background * static_cast<double>(background.truth()),
                     static_cast<double>(pixels), kUndefined);
    };
    m.dice_w = weighted(nuclei.f1(0), background.f1(0));
    m.miou_w = weighted(nuclei.iou(0), background.iou(0));
}

/// 2 pairs / (truth + found): F1 of any one-to-one pairing.
double pair_f1(int64_t pairs, const MetricCounts& c, double eps, Compat compat) {
    if (c.truth + c.found == 0) return if_neither(compat);
    return static_cast<double>(pairs) / (0.5 * static_cast<double>(c.truth + c.found) + eps);
}

void instance(const MetricCounts& c, Compat compat, Metrics& m) {
    const bool neither = c.truth + c.found == 0;
    const double dq_eps = compat == Compat::Conic ? kEps : 0;
    const double sq_eps = compat == Compat::Conic || compat == Compat::HoverNet ? kEps : 0;
    m.dq = pair_f1(c.matched, c, dq_eps, compat);
    m.sq = neither ? if_neither(compat)
                   : ratio(c.matched_iou, static_cast<double>(c.matched) + sq_eps, 0);
    m.pq = m.dq * m.sq;
    m.aji = ratio(c.aji_intersection, c.aji_union, if_neither(compat));
    m.aji_plus = ratio(c.aji_plus_intersection, c.aji_plus_union, if_neither(compat));
    if (compat == Compat::HoverNet && c.found == 0) m.aji = m.aji_plus = kUndefined;
    m.detection_f1 = pair_f1(c.detected, c, 0, compat);
    m.count_error = ratio(c.count_difference, c.truth, neither ? 0 : kUndefined);
    m.area_bias = ratio(c.matched_found_px, c.matched_truth_px, kUndefined) - 1;
}

}  // namespace

std::optional<Compat> parse_compat(std::string_view name) {
    if (name == "ours") return Compat::Ours;
    if (name == "hovernet") return Compat::HoverNet;
    if (name == "conic") return Compat::Conic;
    if (name == "paper") return Compat::Paper;
    return std::nullopt;
}

MetricCounts& MetricCounts::operator+=(const MetricCounts& o) {
    for (const auto member :
         {&MetricCounts::both_px, &MetricCounts::truth_only_px, &MetricCounts::found_only_px,
          &MetricCounts::neither_px, &MetricCounts::truth, &MetricCounts::found,
          &MetricCounts::count_difference, &MetricCounts::matched, &MetricCounts::matched_truth_px,
          &MetricCounts::matched_found_px, &MetricCounts::aji_intersection,
          &MetricCounts::aji_union, &MetricCounts::aji_plus_intersection,
          &MetricCounts::aji_plus_union, &MetricCounts::detected})
        this->*member += o.*member;
    matched_iou += o.matched_iou;
    return *this;
}

Metrics metrics(const MetricCounts& counts, Compat compat) {
    Metrics m;
    semantic(counts, compat, m);
    instance(counts, compat, m);
    return m;
}

}  // namespace wsi
