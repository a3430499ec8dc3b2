#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/types/image.h"
#include "stages/metrics.h"

namespace wsi {

/// Scores of one class over all images.
struct ClassScore {
    std::string name;
    MetricCounts counts;  ///< pooled
    double pq = 0;        ///< of the pool: its mean over classes is CoNIC's mPQ+
    double detection_f1 = 0;
    double r2 = 0;  ///< of the number of nuclei per image
};

/// Collects what each predictor says about the classes of nuclei.
class ClassScores {
public:
    /// Classes without a name are called by their number.
    ClassScores(std::vector<std::string> class_names, Compat compat)
        : names_(std::move(class_names)), compat_(compat) {}
    /// Labels and the class of each pixel (0 = none), all of one size. radius_px: as for
    /// count_metrics().
    void add(const std::string& predictor, const Image<uint32_t>& truth,
             const GrayImage& truth_classes, const Image<uint32_t>& found,
             const GrayImage& found_classes, double radius_px);
    bool empty() const { return of_.empty(); }
    /// By predictor, in alphabetical order. A class that is nowhere scores NaN, with Compat::Conic
    /// 0 as in its code.
    std::map<std::string, std::vector<ClassScore>> scores() const;

private:
    struct OfClass {
        MetricCounts counts;
        std::vector<double> truth, found;  ///< nuclei in each image
    };
    struct OfPredictor {
        size_t images = 0;
        std::vector<OfClass> classes;
    };
    std::string name_of(size_t place) const;
    const std::vector<std::string> names_;
    const Compat compat_;
    std::map<std::string, OfPredictor> of_;
};

/// Mean over classes; NaN left out.
double class_mean(const std::vector<ClassScore>& scores, double ClassScore::*value);

/// `path` (CSV). Throws Error{Output}.
void write_class_scores(const std::string& path, const ClassScores& scores);
/// The same as tables in Markdown.
std::string class_tables(const ClassScores& scores);

}  // namespace wsi
