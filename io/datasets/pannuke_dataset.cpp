#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "io/datasets/layouts.h"
#include "io/datasets/npy_file.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kMpp = 0.25;  // 40x
constexpr size_t kClasses = 5, kChannels = kClasses + 1;

/// One fold: images.npy and types.npy [n] lie in images/foldK, masks.npy in masks/foldK.
struct Fold {
    explicit Fold(const fs::path& masks_file)
        : masks(masks_file.string()),
          images((images_folder(masks_file) / "images.npy").string()),
          types((images_folder(masks_file) / "types.npy").string()) {
        images.expect_shape({0, 0, 0, 3});
        masks.expect_shape({images.shape()[0], images.shape()[1], images.shape()[2], kChannels});
        types.expect_shape({images.shape()[0]});
    }
    static fs::path images_folder(const fs::path& masks_file) {
        const fs::path fold = masks_file.parent_path();
        return fold.parent_path().parent_path() / "images" / fold.filename();
    }
    NpyFile masks, images, types;
};

/// Ids run per class channel; here one image has one list of ids, and where channels overlap the
/// later one wins. Patches carry no word of the slide they come from: each is its own source, and
/// only whole folds should be split.
class PanNukeDataset final : public Dataset {
public:
    explicit PanNukeDataset(const std::vector<fs::path>& mask_files) {
        class_names_ = {"neoplastic", "inflammatory", "connective", "dead", "epithelial"};
        for (const fs::path& file : mask_files) {
            folds_.emplace_back(file);
            const std::string fold = file.parent_path().filename().string();
            for (size_t i = 0; i < folds_.back().images.shape()[0]; ++i) {
                const std::string name = fmt::format("{}-{:05}", fold, i);
                entries_.push_back(
                    {name, "PanNuke", name, folds_.back().types.text(i), fold, kMpp, ""});
                place_.emplace_back(folds_.size() - 1, i);
            }
        }
    }

protected:
    LabelledImage load(const ImageEntry&, size_t index) const override {
        const auto [fold_index, i] = place_[index];
        const Fold& fold = folds_[fold_index];
        const auto height = static_cast<int64_t>(fold.images.shape()[1]);
        const auto width = static_cast<int64_t>(fold.images.shape()[2]);
        const auto pixels = static_cast<size_t>(width * height);
        LabelledImage out;
        out.rgb.resize(width, height);
        for (size_t k = 0; k < 3 * pixels; ++k)
            out.rgb.data()[k] = static_cast<uint8_t>(
                std::clamp(fold.images.number(3 * pixels * i + k), 0.0, 255.0));
        out.labels = Image<uint32_t>(width, height, 0);
        out.classes = GrayImage(width, height, 0);
        std::map<std::pair<size_t, double>, uint32_t> id_of;
        for (size_t k = 0; k < pixels; ++k)
            for (size_t c = 0; c < kClasses; ++c) {
                const double id = fold.masks.number((pixels * i + k) * kChannels + c);
                if (id <= 0) continue;
                const auto fresh = static_cast<uint32_t>(id_of.size() + 1);
                out.labels.data()[k] = id_of.try_emplace({c, id}, fresh).first->second;
                out.classes.data()[k] = static_cast<uint8_t>(c + 1);
            }
        return out;
    }

private:
    std::vector<Fold> folds_;
    std::vector<std::pair<size_t, size_t>> place_;  ///< fold, patch
};

}  // namespace

std::unique_ptr<Dataset> open_pannuke(const fs::path& folder) {
    // "Fold 1/masks/fold1/masks.npy"; some copies have one more folder around it.
    std::vector<fs::path> masks;
    fs::recursive_directory_iterator walk(folder);
    for (auto at = begin(walk); at != end(walk); ++at) {
        if (at.depth() > 4) at.disable_recursion_pending();
        if (at->path().filename() == "masks.npy" && fs::exists(Fold::images_folder(at->path())))
            masks.push_back(at->path());
    }
    if (masks.empty()) return nullptr;
    std::sort(masks.begin(), masks.end());
    return std::make_unique<PanNukeDataset>(masks);
}

}  // namespace wsi
