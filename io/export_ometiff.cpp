#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <vips/vips8>

#include "io/export_formats.h"
#include "io/output_file.h"
#include "io/vips_setup.h"

// OME-TIFF through libvips: 512-px tiles, deflated, nearest-neighbour levels in SubIFDs, OME-XML in
// the first IFD. Rows come from the result 512 at a time, top to bottom.
namespace wsi {

namespace {

using ImageHandle = std::unique_ptr<VipsImage, void (*)(VipsImage*)>;

ImageHandle hold(VipsImage* image) {
    return {image, [](VipsImage* i) { g_object_unref(i); }};
}

/// Rows of a raster, kept a chunk's height at a time, since libvips asks for a few at once.
class RasterRows {
public:
    RasterRows(const ResultReader& result, Raster raster, const OutputFile& file)
        : result_(result), raster_(raster), file_(file) {}

    /// Copies the part of one row that begins at (x, y); leaves `out` alone after a failure.
    void copy(int64_t x, int64_t y, int64_t width, void* out) {
        const std::lock_guard lock(mutex_);
        if (!error_.empty() || file_.failed()) return;
        try {
            load(y / kChunkPx * kChunkPx);
        } catch (const Error& error) {
            error_ = error.what();
            return;
        }
        if (raster_ == Raster::Labels)
            std::copy_n(&labels_(x, y - top_), width, static_cast<uint32_t*>(out));
        else
            std::copy_n(&mask_(x, y - top_), width, static_cast<uint8_t*>(out));
    }

    /// Throws Error{Slide} if a read failed.
    void check() const {
        if (!error_.empty()) fail(ErrorKind::Slide, error_);
    }

private:
    void load(int64_t top) {
        if (top == top_) return;
        const PixelSize frame = result_.header().frame.size;
        const PixelRect strip{0, top, frame.width, std::min(kChunkPx, frame.height - top)};
        if (raster_ == Raster::Labels) {
            labels_.resize(strip.width, strip.height);
            result_.read(raster_, strip, labels_.view());
        } else {
            mask_.resize(strip.width, strip.height);
            result_.read(raster_, strip, mask_.view());
        }
        top_ = top;
    }

    const ResultReader& result_;
    const Raster raster_;
    const OutputFile& file_;
    std::mutex mutex_;
    std::string error_;
    int64_t top_ = -1;
    Image<uint32_t> labels_;
    GrayImage mask_;
};

int generate(VipsRegion* region, void*, void* rows, void*, gboolean*) {
    const VipsRect& part = region->valid;
    for (int y = part.top; y < part.top + part.height; ++y)
        static_cast<RasterRows*>(rows)->copy(part.left, y, part.width,
                                             VIPS_REGION_ADDR(region, part.left, y));
    return 0;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    return out;
}

/// Class ids and names as a map annotation.
std::string class_annotation(const ResultHeader& header) {
    std::string entries;
    for (const NucleusClass& c : header.classes)
        entries += fmt::format(R"(<M K="{}">{}</M>)", c.id, escaped(c.name));
    return R"(<StructuredAnnotations><MapAnnotation ID="Annotation:0"><Value>)" + entries +
           "</Value></MapAnnotation></StructuredAnnotations>";
}

std::string ome_xml(const ExportSource& source, Raster raster) {
    const WorkFrame& frame = source.header().frame;
    const char* name = raster == Raster::Labels ? "labels" : "mask";
    const char* type = raster == Raster::Labels ? "uint32" : "uint8";
    const bool classes = raster == Raster::Mask;
    return fmt::format(
        R"(<?xml version="1.0" encoding="UTF-8"?>)"
        R"(<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06")"
        R"( xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance")"
        R"( xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06)"
        R"( http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">)"
        R"(<Image ID="Image:0" Name="{} {}"><Pixels ID="Pixels:0" DimensionOrder="XYCZT")"
        R"( Type="{}" SizeX="{}" SizeY="{}" SizeC="1" SizeZ="1" SizeT="1")"
        R"( PhysicalSizeX="{}" PhysicalSizeXUnit="µm" PhysicalSizeY="{}" PhysicalSizeYUnit="µm">)"
        R"(<Channel ID="Channel:0:0" Name="{}" SamplesPerPixel="1"/>)"
        R"(<TiffData IFD="0" PlaneCount="1"/></Pixels>{}</Image>{}</OME>)",
        escaped(source.slide_name()), name, type, frame.size.width, frame.size.height, frame.mpp_x,
        frame.mpp_y, name, classes ? R"(<AnnotationRef ID="Annotation:0"/>)" : "",
        classes ? class_annotation(source.header()) : "");
}

ImageHandle image_of(RasterRows& rows, const WorkFrame& frame, Raster raster) {
    ImageHandle image = hold(vips_image_new());
    const bool labels = raster == Raster::Labels;
    vips_image_init_fields(image.get(), static_cast<int>(frame.size.width),
                           static_cast<int>(frame.size.height), 1,
                           labels ? VIPS_FORMAT_UINT : VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
                           VIPS_INTERPRETATION_B_W, 1e3 / frame.mpp_x, 1e3 / frame.mpp_y);
    const bool good =
        vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_FATSTRIP, nullptr) == 0 &&
        vips_image_generate(image.get(), nullptr, &generate, nullptr, &rows, nullptr) == 0;
    if (!good) fail(ErrorKind::Internal, "libvips: ", take_vips_error());
    return image;
}

/// libvips' progress signal, in hundredths, to ours.
void report(VipsImage*, VipsProgress* progress, void* options) {
    const auto& use = static_cast<const ExportOptions*>(options)->progress;
    if (use) use(progress->percent / 100.0);
}

gint64 write_bytes(VipsTargetCustom*, const void* bytes, gint64 count, void* file) {
    static_cast<OutputFile*>(file)->write(bytes, count);
    return count;
}
gint64 read_bytes(VipsTargetCustom*, void* bytes, gint64 count, void* file) {
    return static_cast<OutputFile*>(file)->read(bytes, count);
}
gint64 seek_to(VipsTargetCustom*, gint64 offset, int whence, void* file) {
    return static_cast<OutputFile*>(file)->seek(offset, whence);
}

/// libvips 8.14 crashes when writing or reading fails underway, so that it is told of neither.
void save(VipsImage* image, OutputFile& file, const std::string& path) {
    const std::unique_ptr<VipsTargetCustom, decltype(&g_object_unref)> target(
        vips_target_custom_new(), &g_object_unref);
    g_signal_connect(target.get(), "write", G_CALLBACK(&write_bytes), &file);
    g_signal_connect(target.get(), "read", G_CALLBACK(&read_bytes), &file);
    g_signal_connect(target.get(), "seek", G_CALLBACK(&seek_to), &file);
    const int code = vips_tiffsave_target(image, VIPS_TARGET(target.get()), "tile", TRUE,
                                          "tile_width", int{kChunkPx}, "tile_height", int{kChunkPx},
                                          "pyramid", TRUE, "subifd", TRUE, "bigtiff", TRUE,
                                          "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
                                          "region_shrink", VIPS_REGION_SHRINK_NEAREST, nullptr);
    if (code != 0) fail(ErrorKind::Output, "cannot write ", path, ": ", take_vips_error());
}

void export_raster(const ExportSource& source, Raster raster, const std::string& path) {
    set_up_vips();
    OutputFile file(path);
    RasterRows rows(source.result(), raster, file);
    const ImageHandle image = image_of(rows, source.header().frame, raster);
    vips_image_set_string(image.get(), VIPS_META_IMAGEDESCRIPTION, ome_xml(source, raster).c_str());
    ExportOptions options = source.options();
    vips_image_set_progress(image.get(), TRUE);
    g_signal_connect(image.get(), "eval", G_CALLBACK(&report), &options);
    save(image.get(), file, path);
    rows.check();
    file.commit();
}

}  // namespace

void export_mask_ometiff(const ExportSource& source, const std::string& path) {
    export_raster(source, Raster::Mask, path);
}

void export_labels_ometiff(const ExportSource& source, const std::string& path) {
    export_raster(source, Raster::Labels, path);
}

}  // namespace wsi
