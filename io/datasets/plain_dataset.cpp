#include <algorithm>
#include <optional>

#include "io/csv_table.h"
#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/picture.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

/// Rows of manifest.csv about one folder: in the folder, or beside it with a column `dataset`.
class Manifest {
public:
    explicit Manifest(const fs::path& folder) {
        const std::string name = fs::canonical(folder).filename().string();
        if (fs::exists(folder / "manifest.csv")) {
            add((folder / "manifest.csv").string(), "");
        } else if (const fs::path beside = fs::canonical(folder).parent_path() / "manifest.csv";
                   fs::exists(beside)) {
            add(beside.string(), name);
        }
    }
    void fill(ImageEntry& entry) const {
        const auto at = row_of_.find(entry.name);
        if (at == row_of_.end()) return;
        entry.split = table_->text(at->second, "split");
        entry.organ = table_->text(at->second, "organ");
        entry.mpp = table_->number(at->second, "mpp", 0);
        if (table_->has("source")) entry.source = table_->text(at->second, "source");
        if (const std::string& dataset = table_->text(at->second, "dataset"); !dataset.empty())
            entry.dataset = dataset;
    }

private:
    void add(const std::string& path, const std::string& dataset) {
        table_.emplace(path);
        if (!table_->has("stem") || (!dataset.empty() && !table_->has("dataset"))) {
            if (!dataset.empty()) return;  // somebody else's manifest
            fail(ErrorKind::Config, path, ": no column `stem`");
        }
        for (size_t row = 0; row < table_->rows(); ++row)
            if (dataset.empty() || table_->text(row, "dataset") == dataset)
                row_of_.emplace(table_->text(row, "stem"), row);
    }

    std::optional<CsvTable> table_;
    std::map<std::string, size_t> row_of_;
};

/// images/<stem>.*, labels/<stem>.* and, if there, classes/<stem>.*.
class PlainDataset final : public Dataset {
public:
    explicit PlainDataset(const fs::path& folder)
        : labels_(files_by_stem(folder / "labels")), classes_(files_by_stem(folder / "classes")) {
        const auto images = files_by_stem(folder / "images");
        check_pairs(images, labels_, folder / "images", folder / "labels");
        const Manifest manifest(folder);
        for (const auto& [stem, file] : images) {
            ImageEntry entry;
            entry.name = entry.source = stem;
            entry.dataset = fs::canonical(folder).filename().string();
            entry.file = file;
            manifest.fill(entry);
            entries_.push_back(entry);
        }
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t) const override {
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        out.labels = read_label_picture(labels_.at(entry.name));
        if (const auto at = classes_.find(entry.name); at != classes_.end())
            out.classes = narrow_labels(read_label_picture(at->second), at->second);
        return out;
    }

private:
    std::map<std::string, std::string> labels_, classes_;
};

}  // namespace

std::unique_ptr<Dataset> open_plain_dataset(const fs::path& folder) {
    if (!fs::is_directory(folder / "images") || !fs::is_directory(folder / "labels"))
        return nullptr;
    return std::make_unique<PlainDataset>(folder);
}

}  // namespace wsi
