#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/datasets/dataset.h"
#include "pipeline/commands.h"
#include "stages/metrics.h"

namespace wsi {

/// Says which nuclei are on an image: labels of the image's own size.
class Predictor {
public:
    virtual ~Predictor() = default;
    virtual std::string name() const = 0;
    /// Error{Slide}: this image cannot be predicted; others may.
    virtual Image<uint32_t> operator()(const LabelledImage& image) = 0;
};

/// Resolution of an image: the one asked for, else the data set's, else 0.25 µm per pixel.
double evaluation_mpp(const ImageEntry& entry, const SlideConfig& slide);

/// The ordinary run of a slide on each image; labels brought to the image's size.
std::unique_ptr<Predictor> predict_by_slide_run(const Config& config,
                                                std::unique_ptr<Segmenter> segmenter,
                                                RunStatus& status);

/// What perfect maps say beside the mask: "oracle", "oracle-offsets", "oracle-mask".
enum class OracleMaps { Distance, Offsets, MaskAlone };

/// Ground truth, drawn as perfect maps at the work resolution and taken through separation: what is
/// lost there no network can win back.
std::unique_ptr<Predictor> predict_by_oracle(const Config& config, OracleMaps maps);

/// Label pictures of a folder (or its labels/) with the images' names. Throws Error{Config} that
/// names what is missing for `entries`.
std::unique_ptr<Predictor> predict_from_folder(const std::string& folder,
                                               const std::vector<ImageEntry>& entries);

/// Scores of one image.
struct ImageScore {
    std::string predictor;
    ImageEntry entry;
    MetricCounts counts;
    Metrics values;
};

/// `path` (CSV: images, then organs, data sets and all, with mean, interval and pooled rows) and
/// the same as tables beside it (.md). Throws Error{Output}.
void write_evaluation(const std::string& path, const std::vector<ImageScore>& scores, Compat compat,
                      uint64_t seed);

}  // namespace wsi
