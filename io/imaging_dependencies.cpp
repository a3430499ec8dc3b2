#include <arrow/config.h>
#include <arrow/util/compression.h>
#include <gdal_priv.h>
#include <openslide.h>
#include <sqlite3.h>

#include <vips/vips8>

#include "io/dependencies.h"
#include "io/vips_setup.h"

namespace wsi {

namespace {

DependencyReport openslide() {
    const std::string version = openslide_get_version();
    const bool dicom = version >= "4";
    return {"OpenSlide", version + (dicom ? "" : " (before 4.0: no DICOM)"), Health::Good};
}

DependencyReport libvips() {
    set_up_vips();
    const bool png = vips_type_find("VipsForeignLoad", "pngload") != 0;
    const bool tiff = vips_type_find("VipsForeignLoad", "tiffload") != 0;
    return {"libvips",
            std::string(vips_version_string()) + (png && tiff ? "" : ": PNG or TIFF missing"),
            png && tiff ? Health::Good : Health::Bad};
}

DependencyReport gdal() {
    GDALAllRegister();
    std::string missing;
    for (const char* driver : {"COG", "GPKG", "FlatGeobuf"})
        if (GetGDALDriverManager()->GetDriverByName(driver) == nullptr)
            missing += std::string(": no driver for ") + driver;
    return {"GDAL", GDALVersionInfo("RELEASE_NAME") + missing,
            missing.empty() ? Health::Good : Health::Bad};
}

DependencyReport sqlite() {
    const bool rtree = sqlite3_compileoption_used("ENABLE_RTREE") != 0;
    return {"SQLite", std::string(sqlite3_libversion()) + (rtree ? "" : ": built without R-trees"),
            rtree ? Health::Good : Health::Bad};
}

DependencyReport arrow_parquet() {
    const bool zstd = arrow::util::Codec::IsAvailable(arrow::Compression::ZSTD);
    return {"Arrow", arrow::GetBuildInfo().version_string + (zstd ? "" : ": built without zstd"),
            zstd ? Health::Good : Health::Bad};
}

}  // namespace

std::vector<DependencyReport> check_imaging_libraries() {
    return {openslide(), libvips(), gdal(), arrow_parquet(), sqlite()};
}

}  // namespace wsi
