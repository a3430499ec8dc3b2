#include "io/dependencies.h"

#include <hdf5.h>
#include <zlib.h>

namespace wsi {

namespace {

DependencyReport hdf5() {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    const bool deflate = H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0;
    return {"HDF5",
            std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release) +
                (deflate ? "" : ": built without deflate"),
            deflate ? Health::Good : Health::Bad};
}

}  // namespace

std::vector<DependencyReport> check_dependencies() {
    std::vector<DependencyReport> reports = check_imaging_libraries();
    reports.push_back(hdf5());
    reports.push_back({"zlib", zlibVersion(), Health::Good});
    return reports;
}

}  // namespace wsi
