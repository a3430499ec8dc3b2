#include <algorithm>

#include "io/datasets/aperio_xml.h"
#include "io/datasets/folder_files.h"
#include "io/datasets/layouts.h"
#include "io/picture.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr double kMpp = 0.2525;

/// One part of the release: pictures and their outlines, in two folders or mixed in one.
struct Part {
    fs::path images, outlines;
    std::string split;
};

/// Outlines overlap; the later one wins. A degenerate outline covers no pixel and leaves its id
/// out.
class MonusegDataset final : public Dataset {
public:
    explicit MonusegDataset(const std::vector<Part>& parts) {
        for (const Part& part : parts) {
            const auto images = files_by_stem(part.images, ".tif");
            const auto outlines = files_by_stem(part.outlines, ".xml");
            check_pairs(images, outlines, part.images, part.outlines);
            for (const auto& [stem, file] : images) {
                // TCGA-<centre>-<patient>-...: patches of one patient belong together.
                const std::string source = stem.starts_with("TCGA-") ? stem.substr(0, 12) : stem;
                entries_.push_back({stem, "MoNuSeg", source, "", part.split, kMpp, file});
                outlines_.push_back(outlines.at(stem));
            }
        }
    }

protected:
    LabelledImage load(const ImageEntry& entry, size_t index) const override {
        LabelledImage out;
        out.rgb = read_rgb_picture(entry.file);
        out.labels = Image<uint32_t>(out.rgb.width(), out.rgb.height(), 0);
        uint32_t id = 0;
        for (const Outline& region : read_aperio_xml(outlines_[index]).regions)
            fill_outline(region, ++id, out.labels.view());
        return out;
    }

private:
    std::vector<std::string> outlines_;
};

void add_parts(const fs::path& folder, std::vector<Part>& parts) {
    const bool test = folder.filename().string().find("Test") != std::string::npos;
    if (fs::is_directory(folder / "Tissue Images") && fs::is_directory(folder / "Annotations"))
        parts.push_back({folder / "Tissue Images", folder / "Annotations", "train"});
    else if (!files_by_stem(folder, ".xml").empty() && !files_by_stem(folder, ".tif").empty())
        parts.push_back({folder, folder, test ? "test" : ""});
}

}  // namespace

std::unique_ptr<Dataset> open_monuseg(const fs::path& folder) {
    std::vector<Part> parts;
    add_parts(fs::canonical(folder), parts);
    std::vector<fs::path> below;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.is_directory()) below.push_back(entry.path());
    std::sort(below.begin(), below.end());
    if (parts.empty())
        for (const fs::path& path : below) add_parts(path, parts);
    if (parts.empty()) return nullptr;
    return std::make_unique<MonusegDataset>(parts);
}

}  // namespace wsi
