#include "model/network_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <string_view>

#include "config/error.h"
#include "interface_hash.h"

namespace wsi {

namespace {

/// GDAL brings a libblas into the program, and with it an sgemm_ that is several times slower than
/// the one inside LibTorch; whoever comes first serves both. Sanitizers must see every symbol.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WSI_SANITIZED
#endif
#endif
#if defined(WSI_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kOwnSymbolsFirst = 0;
#else
constexpr int kOwnSymbolsFirst = RTLD_DEEPBIND;
#endif

constexpr const char* kInterfaceName = "wsi_network_interface";
constexpr const char* kNetworkLibraryName = "wsi_network_library";

std::string library_path() {
    std::error_code error;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const auto& place : {folder, folder.parent_path() / "lib"})
        if (const auto file = place / "libwsi_networks.so"; std::filesystem::exists(file))
            return file.string();
    fail(ErrorKind::Device, "this build has no networks (no libwsi_networks.so beside ",
         folder.string(), "); only --model classical works. Build with LibTorch to get them");
}

const NetworkLibrary* load() {
    const std::string path = library_path();
    // The library uses the program's own symbols (Error, io/…), so that exceptions pass through.
    void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | kOwnSymbolsFirst);
    const char* const problem = handle ? nullptr : dlerror();
    if (!handle)
        fail(ErrorKind::Device, "cannot load ", path, ": ", problem,
             "; unless a library is missing, build or install program and library together");
    // A C interface: dlsym has no other way. Only after the first answer may C++ objects pass.
    const auto interface = reinterpret_cast<const char* (*)()>(dlsym(handle, kInterfaceName));
    const std::string_view built_for = interface ? interface() : "none";
    if (built_for != kInterfaceHash)
        fail(ErrorKind::Device, path, " belongs to another version of this program (", built_for,
             ", expected ", kInterfaceHash, "); build or install both together");
    const auto get =
        reinterpret_cast<const NetworkLibrary* (*)()>(dlsym(handle, kNetworkLibraryName));
    WSI_CHECK(get, path);
    return get();
}

}  // namespace

const NetworkLibrary& network_library() {
    static const NetworkLibrary* const library = load();
    return *library;
}

}  // namespace wsi
