#include <algorithm>
#include <map>

#include "io/datasets/outlines.h"
#include "io/datasets/zip_file.h"
#include "io/mapped_file.h"
#include "io/types/suffix.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

// Offsets in a .roi file, all numbers big-endian (ij.io.RoiDecoder).
constexpr size_t kType = 6, kTop = 8, kLeft = 10, kCount = 16, kOptions = 50, kCoordinates = 64;
constexpr int kSubPixel = 128;

bool has_points(int type) { return type == 0 || type == 7 || type == 8; }

/// Names of a folder's .roi files, at any depth, without the folder itself.
std::map<std::string, std::string> roi_files(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && lower_suffix(entry.path()) == ".roi" &&
            !entry.path().filename().string().starts_with('.'))
            files.emplace(entry.path().filename().string(), entry.path().string());
    return files;
}

}  // namespace

Outline parse_imagej_roi(const Bytes& roi) {
    if (roi.size() < kCoordinates || roi.text(0, 4) != "Iout")
        fail(ErrorKind::Config, roi.path(), ": not an ImageJ ROI");
    const int type = roi.big<uint8_t>(kType);
    if (!has_points(type))
        fail(ErrorKind::Config, roi.path(), ": ROI of type ", type,
             "; expected a polygon, freehand or traced outline");
    const size_t count = roi.big<uint16_t>(kCount);
    const bool fine = (roi.big<int16_t>(kOptions) & kSubPixel) != 0;
    const double left = fine ? 0 : roi.big<int16_t>(kLeft), top = fine ? 0 : roi.big<int16_t>(kTop);
    // Whole-number coordinates come first, relative to the box; then the exact ones.
    const size_t item = fine ? sizeof(float) : sizeof(int16_t);
    const size_t x = kCoordinates + (fine ? 4 * count : 0), y = x + item * count;
    const auto at = [&](size_t offset) {
        return fine ? double{roi.big<float>(offset)} : double(roi.big<int16_t>(offset));
    };
    Outline outline;
    for (size_t i = 0; i < count; ++i)
        outline.push_back({left + at(x + item * i), top + at(y + item * i)});
    return outline;
}

Image<uint32_t> read_roi_set(const fs::path& zip_or_folder, PixelSize size) {
    Image<uint32_t> labels(size.width, size.height, 0);
    uint32_t id = 0;
    if (fs::is_directory(zip_or_folder)) {
        for (const auto& [name, path] : roi_files(zip_or_folder)) {
            const MappedFile file(path);
            fill_outline(parse_imagej_roi({file.bytes(), path}), ++id, labels.view());
        }
        return labels;
    }
    for (const auto& [name, content] : read_zip(zip_or_folder.string()))
        if (lower_suffix(name) == ".roi" && !name.starts_with("__MACOSX"))
            fill_outline(parse_imagej_roi({content, zip_or_folder.string() + "/" + name}), ++id,
                         labels.view());
    return labels;
}

}  // namespace wsi
