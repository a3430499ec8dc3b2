#pragma once

#include <filesystem>
#include <string>

#include "io/datasets/dataset.h"

namespace wsi {

/// The folders that the NuInsSeg and CryoNuSeg authors' tools write beside each other: `label masks
/// modify/<stem>.tif`, or, where only outlines are kept, `Imagj_zips/<stem>.zip` (their spelling),
/// `<stem>_roiset.zip` or unpacked folders of these names.
class ManualMasks {
public:
    explicit ManualMasks(const std::filesystem::path& folder) : folder_(folder) {}
    bool has(const std::string& stem) const;
    /// Throws Error{Config} that names both places when there is neither.
    Image<uint32_t> read(const std::string& stem, PixelSize size) const;

private:
    std::filesystem::path mask_file(const std::string& stem) const;
    std::filesystem::path roi_set(const std::string& stem) const;
    std::filesystem::path folder_;
};

}  // namespace wsi
