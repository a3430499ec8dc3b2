#include <arrow/api.h>
#include <arrow/config.h>
#include <arrow/io/memory.h>
#include <gdal_priv.h>
#include <openslide.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <sqlite3.h>
#include <tiffio.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vips/vips8>

#include "config/error.h"
#include "io/arrow_check.h"
#include "io/dependencies.h"
#include "io/picture.h"
#include "io/tiff_pixels.h"
#include "io/vips_setup.h"

// Each library of WSI_IMAGING does a small piece of what the program needs it for.
namespace wsi {

namespace {

constexpr int kSide = 64;
constexpr std::array<uint8_t, 3> kColour{200, 100, 50};

[[noreturn]] void broken(const std::string& what) { fail(ErrorKind::Device, what); }

/// A picture of one colour written by one of GDAL's drivers.
void write_picture(const char* driver, const std::string& path, const char* option) {
    GDALAllRegister();
    GDALDriverManager* const drivers = GetGDALDriverManager();
    GDALDriver* const target = drivers->GetDriverByName(driver);
    if (!target) broken(std::string("no driver for ") + driver);
    const GDALDatasetUniquePtr picture(
        drivers->GetDriverByName("MEM")->Create("", kSide, kSide, 3, GDT_Byte, nullptr));
    for (int band = 0; band < 3; ++band)
        picture->GetRasterBand(band + 1)->Fill(kColour[static_cast<size_t>(band)]);
    CPLStringList options;
    options.AddString(option);
    const GDALDatasetUniquePtr file(
        target->CreateCopy(path.c_str(), picture.get(), false, options.List(), nullptr, nullptr));
    if (!file) broken("cannot write " + path + ": " + CPLGetLastErrorMsg());
}

/// A GeoTIFF into GDAL's own memory, and back.
std::string test_gdal() {
    static constexpr const char* kFile = "/vsimem/wsi-segment-doctor.tif";
    write_picture("COG", kFile, "COMPRESS=DEFLATE");
    std::array<uint8_t, 3> pixel{};
    {
        const GDALDatasetUniquePtr file(GDALDataset::Open(kFile));
        if (!file || file->RasterIO(GF_Read, 9, 9, 1, 1, pixel.data(), 1, 1, GDT_Byte, 3, nullptr,
                                    3, 3, 1, nullptr) != CE_None)
            broken(std::string("cannot read a GeoTIFF: ") + CPLGetLastErrorMsg());
    }
    VSIUnlink(kFile);
    if (pixel != kColour) broken("a GeoTIFF is read back otherwise than it was written");
    for (const char* driver : {"GPKG", "FlatGeobuf"})
        if (!GetGDALDriverManager()->GetDriverByName(driver))
            broken(std::string("no driver for ") + driver);
    return "a GeoTIFF written and read";
}

/// A file that is gone when this is.
struct ScratchSlide {
    std::string path = (std::filesystem::temp_directory_path() /
                        ("wsi-segment-doctor-" + std::to_string(getpid()) + ".tif"))
                           .string();
    ScratchSlide() { write_picture("GTiff", path, "TILED=YES"); }
    ~ScratchSlide() { ::unlink(path.c_str()); }
    ScratchSlide(const ScratchSlide&) = delete;
    ScratchSlide& operator=(const ScratchSlide&) = delete;
};

std::string test_openslide() {
    const ScratchSlide file;
    const std::unique_ptr<openslide_t, decltype(&openslide_close)> slide(
        openslide_open(file.path.c_str()), &openslide_close);
    if (!slide) broken("does not open a tiled TIFF");
    uint32_t argb = 0;
    openslide_read_region(slide.get(), &argb, 9, 9, 0, 1, 1);
    if (const char* error = openslide_get_error(slide.get())) broken(error);
    if (argb != 0xff000000u + (kColour[0] << 16) + (kColour[1] << 8) + kColour[2])
        broken("a slide's pixel has another colour than was written");
    const bool dicom = std::string(openslide_get_version()) >= "4";
    return std::string("a slide read") + (dicom ? "" : " (before 4.0: no DICOM)");
}

/// "LIBTIFF, Version 4.5.0" and a copyright.
std::string libtiff_version() {
    const std::string text = TIFFGetVersion(), first = text.substr(0, text.find('\n'));
    return first.substr(first.rfind(' ') + 1);
}

std::string test_libtiff() {
    const ScratchSlide file;
    const std::array<SlideLevel, 1> levels{SlideLevel{{kSide, kSide}, 1, {256, 256}}};
    RgbImage pixel(1, 1);
    if (!TiffPixels(file.path, "generic-tiff", levels).read(0, {9, 9, 1, 1}, pixel) ||
        !std::equal(kColour.begin(), kColour.end(), pixel.data()))
        broken("a tile has other colours than were written");
    return "a tile read";
}

/// A JPEG encoded and decoded; PNG and TIFF are only looked up.
std::string test_libvips() {
    set_up_vips();
    for (const char* loader : {"pngload", "tiffload"})
        if (vips_type_find("VipsForeignLoad", loader) == 0)
            broken(std::string("built without ") + loader);
    const RgbImage grey(kSide, kSide, 128);
    const std::vector<uint8_t> bytes = jpeg_bytes(grey.view());
    const vips::VImage decoded = vips::VImage::new_from_buffer(bytes.data(), bytes.size(), "");
    if (std::abs(decoded.avg() - 128) > 1) broken("a JPEG is decoded to other colours");
    return "a JPEG encoded and decoded";
}

std::string test_sqlite() {
    sqlite3* handle = nullptr;
    const int opened = sqlite3_open(":memory:", &handle);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(handle, &sqlite3_close);
    double found = 0;
    const auto take = [](void* to, int, char** values, char**) {
        *static_cast<double*>(to) += values[0] ? 1 : 0;
        return 0;
    };
    static constexpr const char* kStatements =
        "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1);"
        "INSERT INTO boxes VALUES (1, 0, 1, 0, 1), (2, 5, 6, 5, 6);"
        "SELECT id FROM boxes WHERE x0 > 4 AND y1 < 7";
    if (opened != SQLITE_OK ||
        sqlite3_exec(handle, kStatements, take, &found, nullptr) != SQLITE_OK)
        broken(sqlite3_errmsg(handle));
    if (found != 1) broken("an R-tree finds other boxes");
    return "an R-tree asked";
}

/// A table with zstd into memory as Parquet, and back.
std::string test_parquet() {
    arrow::FloatBuilder builder;
    check_arrow(builder.AppendValues({1, 2, 3}));
    const auto table = arrow::Table::Make(arrow::schema({arrow::field("x", arrow::float32())}),
                                          {value_of(builder.Finish())});
    const auto out = value_of(arrow::io::BufferOutputStream::Create());
    const auto properties =
        parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
    check_arrow(
        parquet::arrow::WriteTable(*table, arrow::system_memory_pool(), out, 3, properties));
    const auto bytes = value_of(out->Finish());
    const auto reader = value_of(parquet::arrow::OpenFile(
        std::make_shared<arrow::io::BufferReader>(bytes), arrow::system_memory_pool()));
    const auto back = value_of(reader->ReadTable());
    if (!back->Equals(*table)) broken("a table is read back otherwise than it was written");
    return "a Parquet table written and read";
}

}  // namespace

std::vector<DependencyReport> check_imaging_libraries() {
    return {report_on("OpenSlide", openslide_get_version(), &test_openslide),
            report_on("libtiff", libtiff_version(), &test_libtiff),
            report_on("libvips", vips_version_string(), &test_libvips),
            report_on("GDAL", GDALVersionInfo("RELEASE_NAME"), &test_gdal),
            report_on("Arrow", arrow::GetBuildInfo().version_string, &test_parquet),
            report_on("SQLite", sqlite3_libversion(), &test_sqlite)};
}

}  // namespace wsi
