#include "io/datasets/manual_masks.h"

#include "io/datasets/outlines.h"
#include "io/picture.h"

namespace wsi {

namespace fs = std::filesystem;

fs::path ManualMasks::mask_file(const std::string& stem) const {
    const fs::path path = folder_ / "label masks modify" / (stem + ".tif");
    return fs::exists(path) ? path : fs::path();
}

fs::path ManualMasks::roi_set(const std::string& stem) const {
    for (const char* folder : {"Imagj_zips", "ImageJ_zips"})
        for (const char* tail : {"", "_roiset", "_RoiSet"})
            for (const char* suffix : {".zip", ""})
                if (const fs::path path = folder_ / folder / (stem + tail + suffix);
                    fs::exists(path))
                    return path;
    return {};
}

bool ManualMasks::has(const std::string& stem) const {
    return !mask_file(stem).empty() || !roi_set(stem).empty();
}

Image<uint32_t> ManualMasks::read(const std::string& stem, PixelSize size) const {
    if (const fs::path mask = mask_file(stem); !mask.empty())
        return read_label_picture(mask.string());
    if (const fs::path set = roi_set(stem); !set.empty()) return read_roi_set(set, size);
    fail(ErrorKind::Config, folder_.string(), ": no labels of ", stem,
         "; expected 'label masks modify/", stem, ".tif' or 'Imagj_zips/", stem, ".zip'");
}

}  // namespace wsi
