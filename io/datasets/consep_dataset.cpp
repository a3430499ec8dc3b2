#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/datasets/mat_file.h"
#include "io/picture.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kMpp = 0.25;  // 40x

/// Train|Test/Images/<stem>.png and Labels/<stem>.mat with inst_map and type_map.
class ConsepDataset final : public Dataset {
public:
    explicit ConsepDataset(const fs::path& folder) {
        class_names_ = {"other",      "inflammatory", "healthy epithelial", "malignant epithelial",
                        "fibroblast", "muscle",       "endothelial"};
        for (const char* part : {"Train", "Test"}) {
            const fs::path images = folder / part / "Images", labels = folder / part / "Labels";
            const auto files = files_by_stem(images);
            check_pairs(files, files_by_stem(labels, ".mat"), images, labels);
            for (const auto& [stem, file] : files)
                entries_.push_back({stem, "CoNSeP", stem, "colon",
                                    std::string(part) == "Train" ? "train" : "test", kMpp, file});
        }
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t) const override {
        const fs::path image = entry.file;
        const std::string mat =
            (image.parent_path().parent_path() / "Labels" / (entry.name + ".mat")).string();
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        out.labels = read_mat_labels(mat, "inst_map");
        out.classes = narrow_labels(read_mat_labels(mat, "type_map"), mat);
        return out;
    }
};

}  // namespace

std::unique_ptr<Dataset> open_consep(const fs::path& folder) {
    if (!fs::is_directory(folder / "Train" / "Labels") &&
        !fs::is_directory(folder / "Test" / "Labels"))
        return nullptr;
    return std::make_unique<ConsepDataset>(folder);
}

}  // namespace wsi
