// Stands in for what needs OpenSlide, libvips, GDAL, Arrow or SQLite in a build that leaves them
// out (WSI_IMAGING=OFF): every function says so.
#include "io/dependencies.h"
#include "io/export_formats.h"
#include "io/flat_slide.h"
#include "io/nuclei_import.h"
#include "io/openslide_slide.h"
#include "io/picture.h"
#include "io/roi.h"
#include "io/slides_parquet.h"

namespace wsi {

namespace {
[[noreturn]] void left_out(ErrorKind kind, const std::string& path) {
    fail(kind, path,
         ": this build leaves out slides, pictures and other programs' formats; build with "
         "-DWSI_IMAGING=ON");
}
}  // namespace

std::vector<DependencyReport> check_imaging_libraries() {
    return {{"imaging libraries", "left out of this build (WSI_IMAGING=OFF)", Health::Good}};
}

bool can_read_and_write_pictures() { return false; }

std::string openslide_vendor(const std::string&) { return ""; }

std::unique_ptr<Slide> open_with_openslide(const std::string& path, const SlideConfig&) {
    left_out(ErrorKind::Slide, path);
}

bool is_flat_image_name(const std::string&) { return true; }

std::unique_ptr<Slide> open_flat_image(const std::string& path, const SlideConfig&,
                                       const FlatStorage&) {
    left_out(ErrorKind::Slide, path);
}

RgbImage read_rgb_picture(const std::string& path) { left_out(ErrorKind::Config, path); }

Image<uint32_t> read_label_picture(const std::string& path) { left_out(ErrorKind::Config, path); }

GrayImage read_mask_image(const std::string& path) { left_out(ErrorKind::Config, path); }

void write_rgb_picture(const std::string& path, ConstRgbView) { left_out(ErrorKind::Config, path); }

void write_jpeg_picture(const std::string& path, ConstRgbView) {
    left_out(ErrorKind::Config, path);
}

std::vector<uint8_t> jpeg_bytes(ConstRgbView) { left_out(ErrorKind::Config, "a picture"); }

void write_label_picture(const std::string& path, ImageView<const uint32_t>) {
    left_out(ErrorKind::Config, path);
}

void read_nuclei_labels(const std::string& path, const ForeignFrame&, ForeignClasses&,
                        const NucleiSink&) {
    left_out(ErrorKind::Config, path);
}

void read_nuclei_store(const std::string& path, const ForeignFrame&, ForeignClasses&,
                       const NucleiSink&) {
    left_out(ErrorKind::Config, path);
}

void write_slides_parquet(const std::string& path, size_t, const std::function<SlideRow(size_t)>&) {
    left_out(ErrorKind::Output, path);
}

#define WSI_LEFT_OUT(function)                                    \
    void function(const ExportSource&, const std::string& path) { \
        left_out(ErrorKind::Output, path);                        \
    }
WSI_LEFT_OUT(export_parquet)
WSI_LEFT_OUT(export_mask_tiff)
WSI_LEFT_OUT(export_labels_tiff)
WSI_LEFT_OUT(export_probability_tiff)
WSI_LEFT_OUT(export_mask_ometiff)
WSI_LEFT_OUT(export_labels_ometiff)
WSI_LEFT_OUT(export_geopackage)
WSI_LEFT_OUT(export_flatgeobuf)
WSI_LEFT_OUT(export_annotation_store)
#undef WSI_LEFT_OUT

}  // namespace wsi
