#include "io/datasets/dataset.h"

#include <algorithm>

#include "io/datasets/layouts.h"
#include "io/datasets/patch_file.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

void check_size(const LabelledImage& image, PixelSize size, const char* what) {
    if (size.area() > 0 && size != image.rgb.size())
        fail(ErrorKind::Config, image.entry.dataset, " ", image.entry.name, ": the image is ",
             image.rgb.width(), "x", image.rgb.height(), ", but its ", what, " are ", size.width,
             "x", size.height);
}

}  // namespace

LabelledImage Dataset::read(size_t index) const {
    LabelledImage image = load(entries_.at(index), index);
    image.entry = entries_[index];
    check_size(image, image.labels.size(), "labels");
    check_size(image, image.classes.size(), "classes");
    check_size(image, image.vague.size(), "vague areas");
    return image;
}

GrayImage narrow_labels(const Image<uint32_t>& labels, const std::string& path) {
    GrayImage out;
    out.resize(labels.width(), labels.height());
    for (int64_t i = 0; i < labels.size().area(); ++i) {
        if (labels.data()[i] > 255)
            fail(ErrorKind::Config, path, ": value ", labels.data()[i], ", expected at most 255");
        out.data()[i] = static_cast<uint8_t>(labels.data()[i]);
    }
    return out;
}

std::unique_ptr<Dataset> open_dataset(const std::string& folder) {
    if (fs::is_regular_file(folder)) return open_patch_file(folder);
    if (!fs::is_directory(folder)) fail(ErrorKind::Config, "no such folder: ", folder);
    using Open = std::unique_ptr<Dataset> (*)(const fs::path&);
    // Openers that look at names of files come before the one that searches the whole tree.
    static constexpr Open kOpeners[] = {
        open_plain_dataset, open_conic, open_nuinsseg, open_cryonuseg, open_consep,
        open_monuseg,       open_tnbc,  open_dsb2018,  open_slides,    open_pannuke};
    for (const Open open : kOpeners) {
        std::unique_ptr<Dataset> dataset = open(folder);
        if (!dataset) continue;
        if (dataset->entries().empty())
            fail(ErrorKind::Config, folder, ": a data set without images");
        return dataset;
    }
    fail(ErrorKind::Config, folder,
         ": no known data set; expected images/ and labels/ with files of the same names, or an "
         "official layout (docs/datasets.md)");
}

}  // namespace wsi
