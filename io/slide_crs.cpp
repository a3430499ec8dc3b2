#include "io/slide_crs.h"

#include <cpl_conv.h>
#include <gdal_priv.h>

#include <mutex>

#include "config/error.h"

namespace wsi::gdal {

void set_up() {
    static std::once_flag once;
    std::call_once(once, [] {
        GDALAllRegister();
        CPLSetErrorHandler(CPLQuietErrorHandler);
        CPLSetConfigOption("GDAL_PAM_ENABLED", "NO");  // no side files
        GDALSetCacheMax64(GIntBig{64} << 20);
    });
    CPLErrorReset();
}

OGRSpatialReference slide_crs() {
    OGRSpatialReference crs;
    crs.SetLocalCS("slide, micrometres from its top left corner, y upward");
    crs.SetLinearUnits("micrometre", 1e-6);
    return crs;
}

void check(bool ok, const std::string& path) {
    if (ok && CPLGetLastErrorType() != CE_Failure) return;
    fail(ErrorKind::Output, "cannot write ", path, ": ", CPLGetLastErrorMsg(),
         "; check free disk space and the folder's permissions");
}

}  // namespace wsi::gdal
