#include <fmt/format.h>

#include <optional>

#include "io/csv_table.h"
#include "io/datasets/layouts.h"
#include "io/datasets/npy_file.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kMpp = 0.5;  // 20x

/// images.npy [n, 256, 256, 3], labels.npy [n, 256, 256, 2] (id, class); patch_info.csv names the
/// image each patch was cut from.
class ConicDataset final : public Dataset {
public:
    explicit ConicDataset(const fs::path& folder)
        : images_((folder / "images.npy").string()), labels_((folder / "labels.npy").string()) {
        images_.expect_shape({0, 0, 0, 3});
        labels_.expect_shape({images_.shape()[0], images_.shape()[1], images_.shape()[2], 2});
        class_names_ = {"neutrophil", "epithelial", "lymphocyte",
                        "plasma",     "eosinophil", "connective"};
        std::optional<CsvTable> info;
        if (fs::exists(folder / "patch_info.csv"))
            info.emplace((folder / "patch_info.csv").string());
        if (info && info->rows() != images_.shape()[0])
            fail(ErrorKind::Config, (folder / "patch_info.csv").string(), ": ", info->rows(),
                 " rows for ", images_.shape()[0], " patches");
        for (size_t i = 0; i < images_.shape()[0]; ++i) {
            ImageEntry entry{fmt::format("patch-{:05}", i), "CoNIC", "", "colon", "", kMpp, ""};
            if (info) {
                entry.name = info->text(i, "patch_info");
                entry.source = entry.name.substr(0, entry.name.rfind('-'));
            }
            entries_.push_back(entry);
        }
    }

protected:
    LabelledImage load(const ImageEntry&, size_t index) const override {
        const auto height = static_cast<int64_t>(images_.shape()[1]);
        const auto width = static_cast<int64_t>(images_.shape()[2]);
        const auto pixels = static_cast<size_t>(width * height);
        LabelledImage out;
        out.rgb.resize(width, height);
        out.labels.resize(width, height);
        out.classes.resize(width, height);
        for (size_t i = 0; i < 3 * pixels; ++i)
            out.rgb.data()[i] = static_cast<uint8_t>(images_.number(3 * pixels * index + i));
        for (size_t i = 0; i < pixels; ++i) {
            out.labels.data()[i] = static_cast<uint32_t>(labels_.number(2 * (pixels * index + i)));
            out.classes.data()[i] =
                static_cast<uint8_t>(labels_.number(2 * (pixels * index + i) + 1));
        }
        return out;
    }

private:
    NpyFile images_, labels_;
};

}  // namespace

std::unique_ptr<Dataset> open_conic(const fs::path& folder) {
    if (!fs::exists(folder / "images.npy") || !fs::exists(folder / "labels.npy")) return nullptr;
    return std::make_unique<ConicDataset>(folder);
}

}  // namespace wsi
