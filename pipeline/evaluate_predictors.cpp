#include <filesystem>

#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/datasets/npy_file.h"
#include "io/picture.h"
#include "io/result_store.h"
#include "io/types/suffix.h"
#include "io/work_reader.h"
#include "model/segmenter.h"
#include "pipeline/evaluate.h"
#include "stages/label_maps.h"
#include "stages/nucleus_raster.h"
#include "stages/offset_maps.h"
#include "stages/separate.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kAssumedMpp = 0.25;

/// A folder of its own, gone with the object.
class ScratchFolder {
public:
    ScratchFolder() {
        std::string pattern = (fs::temp_directory_path() / "wsi-evaluate-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr)
            fail(ErrorKind::Output, "cannot create a folder in ",
                 fs::temp_directory_path().string());
        path_ = pattern;
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    std::string file(const char* name) const { return (path_ / name).string(); }

private:
    fs::path path_;
};

/// One loaded model for many slides, each of which wants to own its segmenter.
class LentSegmenter final : public Segmenter {
public:
    explicit LentSegmenter(Segmenter& owner) : owner_(owner) {}
    const InputSpec& input_spec() const override { return owner_.input_spec(); }
    int max_concurrency() const override { return owner_.max_concurrency(); }
    bool owns_thread() const override { return owner_.owns_thread(); }
    int64_t working_bytes() const override { return owner_.working_bytes(); }
    int64_t shared_bytes() const override { return owner_.shared_bytes(); }
    std::vector<double> fit_slide(const SlideSample& sample) const override {
        return owner_.fit_slide(sample);
    }
    void segment(std::span<TileSlot* const> batch, std::span<const double> params) override {
        owner_.segment(batch, params);
    }

private:
    Segmenter& owner_;
};

/// The result's outlines drawn on the image's own pixels: what a viewer shows. Work pixels blown up
/// would have stairs.
Image<uint32_t> labels_of_result(const ResultReader& reader, PixelSize size) {
    const WorkFrame& work = reader.header().frame;
    WorkFrame own = work;
    own.size = size;
    own.downsample = 1;
    own.mpp_x /= work.downsample;
    own.mpp_y /= work.downsample;
    NucleusRaster raster(own);
    const NucleiBatch nuclei = reader.rows(0, reader.count(), {});
    Image<uint32_t> labels(size.width, size.height);
    std::vector<RoiPoint> ring;
    std::vector<PixelRun> runs;
    for (size_t i = 0; i < nuclei.size(); ++i) {
        ring.clear();
        for (const ContourPoint& p : nuclei.contour(i))
            ring.push_back({p.x * kContourScale, p.y * kContourScale});
        raster(ring, 0, runs);
        for (const PixelRun& run : runs)
            for (int64_t x = run.x0; x < run.x1; ++x)
                if (labels(x, run.y) == 0) labels(x, run.y) = static_cast<uint32_t>(i + 1);
    }
    return labels;
}

/// The class of each pixel of `labels`, drawn by labels_of_result(): numbers of the names in
/// `class_names`. Empty when none is called as a class of the result.
GrayImage classes_of_result(const ResultReader& reader, const Image<uint32_t>& labels,
                            const std::vector<std::string>& class_names) {
    std::array<uint8_t, 256> number_of{};
    bool any = false;
    for (const NucleusClass& c : reader.header().classes)
        for (size_t i = 0; i < class_names.size(); ++i)
            if (lower_case(c.name) == lower_case(class_names[i])) {
                number_of[c.id] = static_cast<uint8_t>(i + 1);
                any = true;
            }
    if (!any) return {};
    const std::vector<uint8_t> of_nuclei = reader.classes();
    GrayImage classes(labels.width(), labels.height(), 0);
    for (int64_t i = 0; i < labels.size().area(); ++i)
        if (const uint32_t id = labels.data()[i]; id > 0)
            classes.data()[i] = number_of[of_nuclei[id - 1]];
    return classes;
}

class SlideRunPredictor final : public Predictor {
public:
    SlideRunPredictor(const Config& config, std::unique_ptr<Segmenter> segmenter, RunStatus& status,
                      std::vector<std::string> class_names)
        : config_(config),
          status_(status),
          segmenter_(std::move(segmenter)),
          class_names_(std::move(class_names)) {}
    std::string name() const override { return segmenter_->input_spec().name; }

    PredictedNuclei operator()(const LabelledImage& image) override {
        SlideJob job;
        job.slide = image.entry.file;
        if (job.slide.empty()) {
            job.slide = scratch_.file("image.png");
            write_rgb_picture(job.slide, image.rgb);
        }
        job.outputs = {scratch_.file("result.h5")};
        job.restart = Restart::Yes;
        Config config = config_;
        config.slide.mpp = evaluation_mpp(image.entry, config_.slide);
        const SlideReport report = run_slide(
            job, config, status_, [&] { return std::make_unique<LentSegmenter>(*segmenter_); });
        if (report.outcome == SlideOutcome::Interrupted)
            fail(ErrorKind::Cancelled, "interrupted; nothing was written");
        const ResultReader reader(job.outputs.front());
        PredictedNuclei found{labels_of_result(reader, image.rgb.size()), {}};
        found.classes = classes_of_result(reader, found.labels, class_names_);
        return found;
    }

private:
    const Config config_;
    RunStatus& status_;
    std::unique_ptr<Segmenter> segmenter_;
    const std::vector<std::string> class_names_;
    ScratchFolder scratch_;
};

class OraclePredictor final : public Predictor {
public:
    OraclePredictor(const Config& config, OracleMaps maps) : config_(config), maps_(maps) {
        model_mpp_ = config.model.work_mpp > 0
                         ? config.model.work_mpp
                         : make_segmenter(config.model)->input_spec().mpp.value;
    }
    std::string name() const override {
        switch (maps_) {
            case OracleMaps::Distance: return "oracle";
            case OracleMaps::Offsets: return "oracle-offsets";
            case OracleMaps::MaskAlone: return "oracle-mask";
        }
        return "oracle";
    }

    PredictedNuclei operator()(const LabelledImage& image) override {
        const double mpp = evaluation_mpp(image.entry, config_.slide);
        SlideInfo info;
        info.mpp_x = info.mpp_y = mpp;
        info.levels = {{image.rgb.size(), 1, {}}};
        const WorkFrame frame = make_work_frame(info, Mpp{model_mpp_});
        const Image<uint32_t> truth = resample_labels(image.labels, frame.size, frame.downsample);
        Image<uint32_t> found(frame.size.width, frame.size.height);
        const GrayImage mask = nucleus_mask(truth), distance = distance_map(truth, frame);
        const Depth depth = maps_ == OracleMaps::MaskAlone ? Depth::OfMask : Depth::OfMap;
        Separator(SeparateParams::from(config_.separate, frame, depth))(mask, distance,
                                                                        found.view());
        return {resample_labels(found, image.rgb.size(), 1 / frame.downsample), {}};
    }

private:
    GrayImage distance_map(const Image<uint32_t>& truth, const WorkFrame& frame) const {
        if (maps_ == OracleMaps::Distance) return nucleus_distance_map(truth);
        GrayImage distance;
        if (maps_ == OracleMaps::MaskAlone) return distance;
        const OffsetMaps offsets = nucleus_offsets(truth);
        distance.resize(truth.width(), truth.height());
        OffsetDistance(frame.mpp())(offsets.horizontal, offsets.vertical, distance);
        return distance;
    }

    const Config config_;
    const OracleMaps maps_;
    double model_mpp_;
};

/// Throws Error{Config} when what `file` says has another size than the image's labels.
void check_predicted_size(const std::string& file, PixelSize size, const LabelledImage& image) {
    if (size != image.labels.size())
        fail(ErrorKind::Config, file, " is ", size.width, "x", size.height, ", but the labels of ",
             image.entry.name, " are ", image.labels.width(), "x", image.labels.height());
}

class FolderPredictor final : public Predictor {
public:
    FolderPredictor(const std::string& folder, const std::vector<ImageEntry>& entries)
        : classes_(files_by_stem(fs::path(folder) / "classes")) {
        if (!fs::is_directory(folder)) fail(ErrorKind::Config, "no such folder: ", folder);
        const fs::path labels = fs::path(folder) / "labels";
        files_ = files_by_stem(fs::is_directory(labels) ? labels : fs::path(folder));
        size_t missing = 0;
        std::string first;
        for (const ImageEntry& entry : entries)
            if (!files_.contains(entry.name) && missing++ == 0) first = entry.name;
        if (missing > 0)
            fail(ErrorKind::Config, folder, ": no prediction for ", missing, " of ", entries.size(),
                 " images, the first is ", first, " (expected ", first, ".png or .tif)");
    }
    std::string name() const override { return "predictions"; }
    PredictedNuclei operator()(const LabelledImage& image) override {
        const std::string& file = files_.at(image.entry.name);
        PredictedNuclei found{read_label_picture(file), {}};
        check_predicted_size(file, found.labels.size(), image);
        if (const auto at = classes_.find(image.entry.name); at != classes_.end()) {
            found.classes = narrow_labels(read_label_picture(at->second), at->second);
            check_predicted_size(at->second, found.classes.size(), image);
        }
        return found;
    }

private:
    std::map<std::string, std::string> files_, classes_;
};

/// [n, H, W, 2]: id and class, as CoNIC's submissions.
class ArrayPredictor final : public Predictor {
public:
    ArrayPredictor(const std::string& path, const std::vector<ImageEntry>& entries,
                   const std::vector<size_t>& places)
        : array_(path) {
        array_.expect_shape({0, 0, 0, 2});
        for (size_t i = 0; i < entries.size(); ++i) {
            if (places[i] >= array_.shape()[0])
                fail(ErrorKind::Config, path, " has ", array_.shape()[0], " images; ",
                     entries[i].name, " is number ", places[i] + 1, " of its data set");
            if (!place_of_.emplace(entries[i].name, places[i]).second)
                fail(ErrorKind::Config, path, ": two images are called ", entries[i].name,
                     "; evaluate one data set at a time");
        }
    }
    std::string name() const override { return "predictions"; }
    PredictedNuclei operator()(const LabelledImage& image) override {
        const auto height = static_cast<int64_t>(array_.shape()[1]);
        const auto width = static_cast<int64_t>(array_.shape()[2]);
        check_predicted_size(array_.path(), {width, height}, image);
        PredictedNuclei found{Image<uint32_t>(width, height), GrayImage(width, height)};
        const auto pixels = static_cast<size_t>(width * height);
        const size_t first = 2 * pixels * place_of_.at(image.entry.name);
        for (size_t i = 0; i < pixels; ++i) {
            found.labels.data()[i] = static_cast<uint32_t>(array_.number(first + 2 * i));
            found.classes.data()[i] = static_cast<uint8_t>(array_.number(first + 2 * i + 1));
        }
        return found;
    }

private:
    const NpyFile array_;
    std::map<std::string, size_t> place_of_;
};

}  // namespace

double evaluation_mpp(const ImageEntry& entry, const SlideConfig& slide) {
    if (slide.mpp > 0) return slide.mpp;
    return entry.mpp > 0 ? entry.mpp : kAssumedMpp;
}

std::unique_ptr<Predictor> predict_by_slide_run(const Config& config,
                                                std::unique_ptr<Segmenter> segmenter,
                                                RunStatus& status,
                                                std::vector<std::string> class_names) {
    return std::make_unique<SlideRunPredictor>(config, std::move(segmenter), status,
                                               std::move(class_names));
}

std::unique_ptr<Predictor> predict_by_oracle(const Config& config, OracleMaps maps) {
    return std::make_unique<OraclePredictor>(config, maps);
}

std::unique_ptr<Predictor> predict_from_files(const std::string& path,
                                              const std::vector<ImageEntry>& entries,
                                              const std::vector<size_t>& places) {
    if (lower_suffix(path) == ".npy")
        return std::make_unique<ArrayPredictor>(path, entries, places);
    return std::make_unique<FolderPredictor>(path, entries);
}

}  // namespace wsi
