#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/datasets/dataset.h"

namespace wsi {

/// What all patches of a file share.
struct PatchFileInfo {
    double mpp = 0;        ///< µm per pixel, of every patch
    int64_t patch_px = 0;  ///< side
    std::vector<std::string> class_names;
};

/// Writes equal squares with their outlines as HDF5 (layout: docs/datasets.md). The file stands
/// under its name only after finish(). Throws Error{Output}.
class PatchFileWriter {
public:
    PatchFileWriter(const std::string& path, const PatchFileInfo& info);
    ~PatchFileWriter();
    /// patch: patch_px square; its upper left corner at `at` of the source image at `mpp`,
    /// which was made from one at source_mpp. Empty classes and vague areas are written as 0.
    void append(const LabelledImage& patch, PixelPoint at, double source_mpp);
    void finish();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The patches of such a file as a data set. Throws Error{Config} for other files.
std::unique_ptr<Dataset> open_patch_file(const std::string& path);

}  // namespace wsi
