#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "io/types/image.h"

namespace wsi {

using ConstLabelView = ImageView<const uint32_t>;

/// Whose rules hold where published code disagrees: images without nuclei, and small constants in
/// denominators. The table is in docs/evaluation.md.
///
///  nuclei in         | Ours  | HoverNet          | Conic | Paper
///  neither           | 1     | undefined         | 0     | dice_fg, iou_fg 0; else as Ours
///  prediction only   | 0     | 0                 | 0     | 0
///  truth only        | 0     | AJI undefined     | 0     | 0
///  denominators      | exact | SQ, AJI's choice + 1e-6 | DQ, SQ + 1e-6 | exact
///
/// HoverNet: vqdang/hover_net metrics/stats_utils.py. Conic: TissueImageAnalytics/CoNIC
/// metrics/stats_utils.py. Paper: scikit-learn's weighted averages with zero_division = 0. Ours is
/// what NucEval does. Undefined is NaN, left out of means.
enum class Compat { Ours, HoverNet, Conic, Paper };

/// "ours", "hovernet", "conic" or "paper".
std::optional<Compat> parse_compat(std::string_view name);

/// All that the metrics need to know of a pair of label images.
struct Contingency {
    struct Nucleus {
        uint32_t id = 0;  ///< as in the image
        int64_t area_px = 0;
        double centroid_x_px = 0, centroid_y_px = 0;  ///< mean of pixel indices
    };
    struct Overlap {
        uint32_t truth = 0, found = 0;  ///< rows of the two lists below
        int64_t area_px = 0;
        friend bool operator==(const Overlap&, const Overlap&) = default;
    };
    std::vector<Nucleus> truth, found;  ///< by id; ids of the images may have gaps
    std::vector<Overlap> overlaps;      ///< by truth, then found; only pairs that share pixels
    int64_t pixels = 0;

    double iou(const Overlap& o) const;
};

/// One pass over the pixels. truth, found: [H, W] uint32, 0 = background, same size (else
/// Error{Config}); any ids; a nucleus in several pieces is one nucleus. No pixel needs to be
/// background.
Contingency contingency(ConstLabelView truth, ConstLabelView found);

/// Sums over pixels and nuclei; adding those of several images pools them.
struct MetricCounts {
    int64_t both_px = 0, truth_only_px = 0, found_only_px = 0, neither_px = 0;
    int64_t truth = 0, found = 0;  ///< nuclei
    int64_t count_difference = 0;  ///< |found - truth|, summed over images
    int64_t matched = 0;           ///< IoU > 0.5
    double matched_iou = 0;        ///< sum over the matched
    int64_t matched_truth_px = 0, matched_found_px = 0;
    int64_t aji_intersection = 0, aji_union = 0;
    int64_t aji_plus_intersection = 0, aji_plus_union = 0;
    int64_t detected = 0;  ///< pairs of centroids within the radius, one to one

    MetricCounts& operator+=(const MetricCounts& other);
};

/// Detection: centroids at most this far apart; 3 µm.
inline constexpr double kDetectionRadiusUm = 3;

/// radius_px: kDetectionRadiusUm in pixels of the images (12 at 40x).
MetricCounts count_metrics(const Contingency& table, Compat compat, double radius_px = 12);

struct Metrics {
    double dice_fg = 0, iou_fg = 0;  ///< nuclei against the rest
    double miou_2c = 0;  ///< mean IoU of background and nuclei; a class in neither: skipped
    double dice_w = 0, miou_w = 0;  ///< F1 and IoU per class, weighted by the class's true pixels
    double pq = 0, dq = 0, sq = 0;  ///< match: IoU > 0.5
    double aji = 0, aji_plus = 0;   ///< best IoU with reuse; optimal one-to-one
    double detection_f1 = 0;        ///< centroids within the radius
    double count_error = 0;         ///< |found - truth| / truth; undefined without true nuclei
    double area_bias = 0;           ///< area of matched nuclei / true area - 1
};

/// Metrics of one image or of a pool of them.
Metrics metrics(const MetricCounts& counts, Compat compat);

struct MetricColumn {
    std::string_view name;
    double Metrics::*value;
};
inline constexpr std::array<MetricColumn, 13> kMetricColumns{
    {{"dice_fg", &Metrics::dice_fg},
     {"iou_fg", &Metrics::iou_fg},
     {"miou_2c", &Metrics::miou_2c},
     {"dice_w", &Metrics::dice_w},
     {"miou_w", &Metrics::miou_w},
     {"pq", &Metrics::pq},
     {"dq", &Metrics::dq},
     {"sq", &Metrics::sq},
     {"aji", &Metrics::aji},
     {"aji_plus", &Metrics::aji_plus},
     {"detection_f1", &Metrics::detection_f1},
     {"count_error", &Metrics::count_error},
     {"area_bias", &Metrics::area_bias}}};

}  // namespace wsi
