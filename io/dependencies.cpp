#include "io/dependencies.h"

#include <zlib.h>

#include <numeric>

#include "io/hdf5_file.h"

namespace wsi {

namespace {

std::string hdf5_version() {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

/// A deflated column into a file in memory, and back.
std::string test_hdf5() {
    if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) <= 0) fail(ErrorKind::Device, "built without deflate");
    h5::set_up();
    const h5::Id access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose);
    h5::check(H5Pset_fapl_core(access.get(), 1 << 16, false), "cannot make", "a file in memory");
    const h5::Id file(h5::check(H5Fcreate("doctor.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()),
                                "cannot make", "a file in memory"),
                      &H5Fclose);
    std::vector<float> values(1000);
    std::iota(values.begin(), values.end(), 0.5f);
    h5::Column(file.get(), "x", H5T_NATIVE_FLOAT, 1, 256).append(values.data(), values.size());
    if (h5::read_column<float>(file.get(), "x", 0, values.size()) != values)
        fail(ErrorKind::Device, "a column is read back otherwise than it was written");
    return "a column written and read";
}

std::string test_zlib() {
    const std::string text(1000, 'n');
    std::vector<Bytef> packed(compressBound(text.size()));
    uLongf packed_size = packed.size(), size = text.size();
    std::string back(text.size(), ' ');
    const bool fine = compress(packed.data(), &packed_size,
                               reinterpret_cast<const Bytef*>(text.data()), text.size()) == Z_OK &&
                      uncompress(reinterpret_cast<Bytef*>(back.data()), &size, packed.data(),
                                 packed_size) == Z_OK &&
                      back == text;
    if (!fine) fail(ErrorKind::Device, "a text is inflated otherwise than it was deflated");
    return "a text deflated and inflated";
}

}  // namespace

DependencyReport report_on(const std::string& name, const std::string& version,
                           const std::function<std::string()>& test) {
    const std::string begin = version.empty() ? "" : version + ": ";
    try {
        return {name, begin + test(), Health::Good};
    } catch (const std::exception& error) {
        return {name, begin + error.what(), Health::Bad};
    }
}

std::vector<DependencyReport> check_dependencies() {
    std::vector<DependencyReport> reports = check_imaging_libraries();
    reports.push_back(report_on("HDF5", hdf5_version(), &test_hdf5));
    reports.push_back(report_on("zlib", zlibVersion(), &test_zlib));
    return reports;
}

}  // namespace wsi
