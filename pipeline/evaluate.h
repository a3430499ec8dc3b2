#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/datasets/dataset.h"
#include "pipeline/commands.h"
#include "stages/metrics.h"

namespace wsi {

/// Nuclei on an image, of the image's own size.
struct PredictedNuclei {
    Image<uint32_t> labels;  ///< 0 = background
    GrayImage classes;       ///< class of each pixel as the data set numbers them; empty: not told
};

/// Says which nuclei are on an image.
class Predictor {
public:
    virtual ~Predictor() = default;
    virtual std::string name() const = 0;
    /// Error{Slide}: this image cannot be predicted; others may.
    virtual PredictedNuclei operator()(const LabelledImage& image) = 0;
};

/// Resolution of an image: the one asked for, else the data set's, else 0.25 µm per pixel.
double evaluation_mpp(const ImageEntry& entry, const SlideConfig& slide);

/// The ordinary run of a slide on each image; labels brought to the image's size. Its classes are
/// those of `class_names` (1, 2, …) that are called the same; upper and lower case do not count.
std::unique_ptr<Predictor> predict_by_slide_run(const Config& config,
                                                std::unique_ptr<Segmenter> segmenter,
                                                RunStatus& status,
                                                std::vector<std::string> class_names);

/// What perfect maps say beside the mask: "oracle", "oracle-offsets", "oracle-mask".
enum class OracleMaps { Distance, Offsets, MaskAlone };

/// Ground truth, drawn as perfect maps at the work resolution and taken through separation: what is
/// lost there no network can win back.
std::unique_ptr<Predictor> predict_by_oracle(const Config& config, OracleMaps maps);

/// Label pictures of a folder (or its labels/, and classes/ if there) with the images' names, or an
/// array as CoNIC's (.npy [n, H, W, 2]: id, class; `places` of the entries in it). Throws
/// Error{Config} that names what is missing for `entries`.
std::unique_ptr<Predictor> predict_from_files(const std::string& path,
                                              const std::vector<ImageEntry>& entries,
                                              const std::vector<size_t>& places);

/// Scores of one image.
struct ImageScore {
    std::string predictor;
    ImageEntry entry;
    MetricCounts counts;
    Metrics values;
};

/// `path` (CSV: images, then organs, data sets and all, with mean, interval and pooled rows) and
/// the same as tables beside it (.md), which `more_tables` end. Throws Error{Output}.
void write_evaluation(const std::string& path, const std::vector<ImageScore>& scores, Compat compat,
                      uint64_t seed, const std::string& more_tables);

}  // namespace wsi
