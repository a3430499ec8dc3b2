#include <algorithm>

#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/datasets/manual_masks.h"
#include "io/picture.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kMpp = 0.25;  // 40x
constexpr const char* kImages = "tissue images";

/// <organ>/tissue images/<stem>.png beside the masks; vague areas where there are any.
class NuInsSegDataset final : public Dataset {
public:
    explicit NuInsSegDataset(std::vector<fs::path> organs) {
        std::sort(organs.begin(), organs.end());
        for (const fs::path& organ : organs)
            for (const auto& [stem, file] : files_by_stem(organ / kImages))
                entries_.push_back(
                    {stem, "NuInsSeg", stem, organ.filename().string(), "", kMpp, file});
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t) const override {
        const fs::path organ = fs::path(entry.file).parent_path().parent_path();
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        out.labels = ManualMasks(organ).read(entry.name, out.rgb.size());
        const fs::path vague = organ / "vague areas" / "mask binary" / (entry.name + ".png");
        if (fs::exists(vague)) {
            out.vague = narrow_labels(read_label_picture(vague.string()), vague.string());
            std::for_each(out.vague.data(), out.vague.data() + out.vague.size().area(),
                          [](uint8_t& v) { v = v != 0; });
        }
        return out;
    }
};

/// tissue images/Human_<Organ>_0n.tif; masks in a folder per annotator, or, in older copies, beside
/// the images.
class CryoNuSegDataset final : public Dataset {
public:
    CryoNuSegDataset(const fs::path& folder, const fs::path& masks) : masks_(masks) {
        for (const auto& [stem, file] : files_by_stem(folder / kImages)) {
            const size_t first = stem.find('_'), last = stem.rfind('_');
            const std::string organ = last > first && first != std::string::npos
                                          ? stem.substr(first + 1, last - first - 1)
                                          : "";
            entries_.push_back({stem, "CryoNuSeg", stem, organ, "", kMpp, file});
        }
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t) const override {
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        out.labels = masks_.read(entry.name, out.rgb.size());
        return out;
    }

private:
    ManualMasks masks_;
};

bool has_masks(const fs::path& folder) {
    return fs::is_directory(folder / "label masks modify") ||
           fs::is_directory(folder / "Imagj_zips");
}

}  // namespace

std::unique_ptr<Dataset> open_nuinsseg(const fs::path& folder) {
    std::vector<fs::path> organs;
    for (const auto& entry : fs::directory_iterator(folder))
        if (fs::is_directory(entry.path() / kImages) && has_masks(entry.path()))
            organs.push_back(entry.path());
    // One organ's folder may be given by itself.
    if (organs.empty() && fs::is_directory(folder / kImages) && has_masks(folder) &&
        fs::is_directory(folder / "vague areas"))
        organs.push_back(folder);
    if (organs.empty()) return nullptr;
    return std::make_unique<NuInsSegDataset>(organs);
}

std::unique_ptr<Dataset> open_cryonuseg(const fs::path& folder) {
    if (!fs::is_directory(folder / kImages)) return nullptr;
    // Ground truth is annotator 1, first round.
    for (const char* masks :
         {"Annotator 1 (biologist)", "Annotator 1 (biologist)/Annotator 1 (biologist)", "."})
        if (has_masks(folder / masks))
            return std::make_unique<CryoNuSegDataset>(folder, folder / masks);
    return nullptr;
}

}  // namespace wsi
