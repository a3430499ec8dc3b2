// Data sets whose nuclei are drawn as masks: one per slide (TNBC) or one per nucleus (DSB 2018).
#include <algorithm>

#include "io/datasets/components.h"
#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/picture.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kTnbcMpp = 0.25;  // 40x

std::vector<fs::path> folders_below(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.is_directory()) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

/// Slide_NN/NN_k.png and GT_NN/NN_k.png; nuclei are the connected pieces of the mask.
class TnbcDataset final : public Dataset {
public:
    explicit TnbcDataset(const std::vector<fs::path>& slides) {
        for (const fs::path& slide : slides) {
            const fs::path truth = truth_of(slide);
            const auto images = files_by_stem(slide);
            check_pairs(images, files_by_stem(truth), slide, truth);
            for (const auto& [stem, file] : images)
                entries_.push_back(
                    {stem, "TNBC", slide.filename().string(), "breast", "", kTnbcMpp, file});
        }
    }
    static fs::path truth_of(const fs::path& slide) {
        return slide.parent_path() / ("GT" + slide.filename().string().substr(5));
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t) const override {
        const fs::path image = entry.file;
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        const fs::path truth = truth_of(image.parent_path()) / image.filename();
        out.labels = connected_components(read_label_picture(truth.string()));
        return out;
    }
};

/// <id>/images/<id>.png and <id>/masks/*.png, one nucleus each; a later mask wins.
class DsbDataset final : public Dataset {
public:
    explicit DsbDataset(const std::vector<fs::path>& folders) {
        for (const fs::path& folder : folders) {
            const auto images = files_by_stem(folder / "images");
            if (images.size() != 1)
                fail(ErrorKind::Config, (folder / "images").string(), " holds ", images.size(),
                     " pictures; expected one");
            const auto& [stem, file] = *images.begin();
            entries_.push_back({stem, "DSB2018", stem, "", "", 0, file});
        }
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t) const override {
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        out.labels = Image<uint32_t>(out.rgb.width(), out.rgb.height(), 0);
        uint32_t id = 0;
        const fs::path folder = fs::path(entry.file).parent_path().parent_path() / "masks";
        for (const auto& [stem, file] : files_by_stem(folder)) {
            const Image<uint32_t> mask = read_label_picture(file);
            if (mask.size() != out.rgb.size())
                fail(ErrorKind::Config, file, ": is not of the size of ", entry.file);
            ++id;
            for (int64_t i = 0; i < mask.size().area(); ++i)
                if (mask.data()[i] != 0) out.labels.data()[i] = id;
        }
        return out;
    }
};

}  // namespace

std::unique_ptr<Dataset> open_tnbc(const fs::path& folder) {
    std::vector<fs::path> slides;
    for (const fs::path& below : folders_below(folder))
        if (below.filename().string().starts_with("Slide_") &&
            fs::is_directory(TnbcDataset::truth_of(below)))
            slides.push_back(below);
    if (slides.empty()) return nullptr;
    return std::make_unique<TnbcDataset>(slides);
}

std::unique_ptr<Dataset> open_dsb2018(const fs::path& folder) {
    std::vector<fs::path> images;
    for (const fs::path& below : folders_below(folder))
        if (fs::is_directory(below / "masks") && !files_by_stem(below / "images").empty())
            images.push_back(below);
    if (images.empty()) return nullptr;
    return std::make_unique<DsbDataset>(images);
}

}  // namespace wsi
