#include "io/slide.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "io/flat_slide.h"
#include "io/openslide_slide.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

std::string lower_suffix(const std::string& path) {
    std::string suffix = fs::path(path).extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return suffix;
}

/// Formats that neither library reads, with what converts them.
void refuse_known_formats(const std::string& path) {
    static const std::map<std::string, const char*> kRefused{
        {".vsi",
         "Olympus VSI cannot be read; convert it to OME-TIFF with bioformats2raw and raw2ometiff"},
        {".isyntax",
         "Philips iSyntax cannot be read; convert it to TIFF with Philips' own export"}};
    const auto found = kRefused.find(lower_suffix(path));
    if (found != kRefused.end()) fail(ErrorKind::Slide, path, ": ", found->second);
}

std::unique_ptr<Slide> open_dicom_folder(const std::string& folder, const SlideConfig& config) {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.is_regular_file()) files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files)
        if (openslide_vendor(file) == "dicom") return open_with_openslide(file, config);
    fail(ErrorKind::Slide, folder,
         ": a folder without a DICOM slide; name one slide, or use "
         "`wsi-segment batch` for a folder of slides");
}

}  // namespace

std::unique_ptr<Slide> open_slide(const std::string& path, const SlideConfig& config,
                                  const std::string& scratch_dir) {
    std::error_code error;
    if (!fs::exists(path, error)) fail(ErrorKind::Slide, path, ": no such file");
    if (fs::is_directory(path)) return open_dicom_folder(path, config);
    if (!std::ifstream(path, std::ios::binary))
        fail(ErrorKind::Slide, path, ": cannot be opened; check its permissions");
    if (fs::file_size(path, error) == 0) fail(ErrorKind::Slide, path, ": the file is empty");
    refuse_known_formats(path);
    if (!openslide_vendor(path).empty()) return open_with_openslide(path, config);
    if (is_flat_image_name(path)) return open_flat_image(path, config, scratch_dir);
    fail(ErrorKind::Slide, path,
         ": not a slide that OpenSlide knows, or damaged; nor a flat TIFF, PNG, JPEG or JPEG 2000");
}

}  // namespace wsi
