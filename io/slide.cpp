#include "io/slide.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "io/dicom_series.h"
#include "io/flat_slide.h"
#include "io/openslide_slide.h"
#include "io/types/suffix.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr const char* kToOmeTiff =
    "convert it to OME-TIFF with bioformats2raw and raw2ometiff --rgb";

/// Formats that neither library reads, with what converts them.
void refuse_known_formats(const std::string& path) {
    const std::string suffix = lower_suffix(path);
    if (suffix == ".vsi")
        fail(ErrorKind::Slide, path, ": Olympus VSI cannot be read; ", kToOmeTiff);
    if (suffix == ".isyntax")
        fail(ErrorKind::Slide, path,
             ": Philips iSyntax cannot be read; convert it to TIFF with Philips' own export");
}

/// OpenSlide says what it met in a CZI, not what helps.
std::unique_ptr<Slide> open_vendor_slide(const std::string& path, const SlideConfig& config) {
    try {
        return open_with_openslide(path, config);
    } catch (const Error& error) {
        // The line begins with the path, which may say anything.
        if (std::string_view(error.what()).find("JPEG XR", path.size()) == std::string_view::npos)
            throw;
        fail(ErrorKind::Slide, path, ": Zeiss CZI compressed with JPEG XR cannot be read; ",
             kToOmeTiff);
    }
}

std::vector<std::string> dicom_files(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code ignored;  // what cannot be looked at is no slide
        const std::string file = at->path().string();
        if (at->is_regular_file(ignored) && openslide_vendor(file) == "dicom")
            files.push_back(file);
    }
    if (error)
        fail(ErrorKind::Slide, folder, ": the folder cannot be listed (", error.message(),
             "); check its permissions");
    std::sort(files.begin(), files.end());
    return files;
}

std::unique_ptr<Slide> open_dicom_folder(const std::string& folder, const SlideConfig& config) {
    const std::vector<std::string> files = dicom_files(folder);
    if (files.empty())
        fail(ErrorKind::Slide, folder,
             ": a folder without a DICOM slide; name one slide, or use "
             "`wsi-segment batch` for a folder of slides");
    const std::string series = dicom_series(files.front());
    for (const std::string& file : files)
        if (const std::string own = dicom_series(file); !own.empty() && own != series)
            fail(ErrorKind::Slide, folder, ": a folder with more than one DICOM slide (",
                 fs::path(files.front()).filename().string(), " and ",
                 fs::path(file).filename().string(),
                 " are of two); name a file of one of them, or use `wsi-segment batch` for all");
    return open_with_openslide(files.front(), config);
}

void check_readable(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error)) fail(ErrorKind::Slide, path, ": no such file");
    if (fs::is_directory(path, error)) return;
    if (!std::ifstream(path, std::ios::binary))
        fail(ErrorKind::Slide, path, ": cannot be opened; check its permissions");
    if (fs::file_size(path, error) == 0 && !error)
        fail(ErrorKind::Slide, path, ": the file is empty; copy it again from where it came from");
}

}  // namespace

std::unique_ptr<Slide> open_slide(const std::string& path, const SlideConfig& config,
                                  const std::string& scratch_dir) {
    check_readable(path);
    if (fs::is_directory(path)) return open_dicom_folder(path, config);
    refuse_known_formats(path);
    if (!openslide_vendor(path).empty()) return open_vendor_slide(path, config);
    if (is_flat_image_name(path)) return open_flat_image(path, config, {scratch_dir});
    fail(ErrorKind::Slide, path,
         ": not a slide that OpenSlide knows, or damaged; nor a flat TIFF, PNG, JPEG or JPEG 2000; "
         "copy it again, or convert it to a tiled TIFF");
}

}  // namespace wsi
