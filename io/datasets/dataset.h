#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/types/image.h"

namespace wsi {

/// What is known of an image before it is read; "" and 0 = unknown.
struct ImageEntry {
    std::string name;  ///< unique in its data set: file stem or patch name
    std::string dataset;
    std::string source;  ///< what it was cut from; images of one source belong in one split
    std::string organ;
    std::string split;  ///< "train", "val", ... where the data set says so
    double mpp = 0;     ///< µm per pixel
    std::string file;   ///< picture file that holds this image alone; "" = part of an array
};

/// One image with its outlines. All rasters have the size of rgb, or are empty.
struct LabelledImage {
    ImageEntry entry;
    RgbImage rgb;
    Image<uint32_t> labels;  ///< instance ids, 0 = background; gaps possible
    GrayImage classes;       ///< class of each pixel, 0 = background; empty: not given
    GrayImage vague;         ///< 1 where the annotators could not tell; empty: not given
};

/// A data set on disk, in whatever layout it is distributed. Entries are in a fixed order. read()
/// may be called in any order, by one thread at a time.
class Dataset {
public:
    virtual ~Dataset() = default;
    const std::vector<ImageEntry>& entries() const { return entries_; }
    /// Names of classes 1, 2, ...; empty when nuclei have none.
    const std::vector<std::string>& class_names() const { return class_names_; }
    /// Throws Error{Config} naming the file, also when image and labels differ in size.
    LabelledImage read(size_t index) const;

protected:
    virtual LabelledImage load(const ImageEntry& entry, size_t index) const = 0;
    std::vector<ImageEntry> entries_;
    std::vector<std::string> class_names_;
};

/// Opens a folder by its layout (docs/datasets.md lists them), or a patch file. Throws
/// Error{Config} when it is none of them, when it holds nothing, or when images and labels do not
/// pair.
std::unique_ptr<Dataset> open_dataset(const std::string& folder);

}  // namespace wsi
