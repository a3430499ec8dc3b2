#include <cmath>
#include <cstdlib>

#include "stages/assignment.h"
#include "stages/metrics.h"

namespace wsi {

namespace {

constexpr double kHoverNetEps = 1e-6;

int64_t total_area(const std::vector<Contingency::Nucleus>& nuclei) {
    int64_t sum = 0;
    for (const auto& nucleus : nuclei) sum += nucleus.area_px;
    return sum;
}

/// Pixels: what lies in both, in one, in neither.
void count_pixels(const Contingency& table, MetricCounts& counts) {
    for (const auto& o : table.overlaps) counts.both_px += o.area_px;
    counts.truth_only_px = total_area(table.truth) - counts.both_px;
    counts.found_only_px = total_area(table.found) - counts.both_px;
    counts.neither_px = table.pixels - counts.both_px - counts.truth_only_px - counts.found_only_px;
}

/// IoU > 0.5 can hold for one partner only, so no assignment is needed.
void count_matches(const Contingency& table, MetricCounts& counts) {
    for (const auto& o : table.overlaps) {
        const int64_t truth_px = table.truth[o.truth].area_px;
        const int64_t found_px = table.found[o.found].area_px;
        if (2 * o.area_px <= truth_px + found_px - o.area_px) continue;
        ++counts.matched;
        counts.matched_iou += table.iou(o);
        counts.matched_truth_px += truth_px;
        counts.matched_found_px += found_px;
    }
}

struct JaccardSums {
    int64_t intersection_px = 0, union_px = 0;
};

/// Intersections and unions of the chosen pairs; whatever was not chosen adds its area.
JaccardSums jaccard(const Contingency& table,
                    const std::vector<const Contingency::Overlap*>& chosen) {
    JaccardSums sums;
    std::vector<char> truth_used(table.truth.size()), found_used(table.found.size());
    for (const auto* o : chosen) {
        sums.intersection_px += o->area_px;
        sums.union_px += table.truth[o->truth].area_px + table.found[o->found].area_px - o->area_px;
        truth_used[o->truth] = found_used[o->found] = 1;
    }
    for (size_t i = 0; i < table.truth.size(); ++i)
        if (!truth_used[i]) sums.union_px += table.truth[i].area_px;
    for (size_t i = 0; i < table.found.size(); ++i)
        if (!found_used[i]) sums.union_px += table.found[i].area_px;
    return sums;
}

/// Every true nucleus takes the prediction of the best IoU, also one that another has taken; of
/// equals the lowest id. `eps` is HoVer-Net's, which breaks such ties by size.
std::vector<const Contingency::Overlap*> best_with_reuse(const Contingency& table, double eps) {
    std::vector<const Contingency::Overlap*> best;
    double best_iou = 0;
    for (const auto& o : table.overlaps) {
        const int64_t union_px =
            table.truth[o.truth].area_px + table.found[o.found].area_px - o.area_px;
        const double iou = static_cast<double>(o.area_px) / (static_cast<double>(union_px) + eps);
        if (best.empty() || best.back()->truth != o.truth) {
            best.push_back(&o);
        } else if (iou > best_iou) {
            best.back() = &o;
        } else {
            continue;
        }
        best_iou = iou;
    }
    return best;
}

std::vector<const Contingency::Overlap*> best_one_to_one(const Contingency& table) {
    std::vector<WeightedPair> pairs;
    for (const auto& o : table.overlaps) pairs.push_back({o.truth, o.found, table.iou(o)});
    std::vector<const Contingency::Overlap*> chosen;
    for (const size_t i : best_assignment(pairs, static_cast<uint32_t>(table.truth.size()),
                                          static_cast<uint32_t>(table.found.size())))
        chosen.push_back(&table.overlaps[i]);
    return chosen;
}

/// Most of (radius - distance) that one-to-one pairs of centroids can have; how many pairs.
int64_t count_detected(const Contingency& table, double radius_px) {
    std::vector<WeightedPair> pairs;
    for (uint32_t t = 0; t < table.truth.size(); ++t) {
        for (uint32_t f = 0; f < table.found.size(); ++f) {
            const double dy = table.truth[t].centroid_y_px - table.found[f].centroid_y_px;
            if (std::abs(dy) >= radius_px) continue;
            const double dx = table.truth[t].centroid_x_px - table.found[f].centroid_x_px;
            const double distance = std::sqrt(dx * dx + dy * dy);
            if (distance < radius_px) pairs.push_back({t, f, radius_px - distance});
        }
    }
    return std::ssize(best_assignment(pairs, static_cast<uint32_t>(table.truth.size()),
                                      static_cast<uint32_t>(table.found.size())));
}

}  // namespace

MetricCounts count_metrics(const Contingency& table, Compat compat, double radius_px) {
    MetricCounts counts;
    count_pixels(table, counts);
    counts.truth = std::ssize(table.truth);
    counts.found = std::ssize(table.found);
    counts.count_difference = std::abs(counts.found - counts.truth);
    count_matches(table, counts);
    const JaccardSums aji =
        jaccard(table, best_with_reuse(table, compat == Compat::HoverNet ? kHoverNetEps : 0));
    counts.aji_intersection = aji.intersection_px;
    counts.aji_union = aji.union_px;
    const JaccardSums aji_plus = jaccard(table, best_one_to_one(table));
    counts.aji_plus_intersection = aji_plus.intersection_px;
    counts.aji_plus_union = aji_plus.union_px;
    counts.detected = count_detected(table, radius_px);
    return counts;
}

}  // namespace wsi
