#include "model/network_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "config/error.h"

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
    if (!handle) fail(ErrorKind::Device, "cannot load ", path, ": ", problem);
    using Get = const NetworkLibrary* (*)();
    // A C interface: dlsym has no other way.
    const auto get = reinterpret_cast<Get>(dlsym(handle, "wsi_network_library"));
    if (!get) fail(ErrorKind::Device, path, " is of another version; install it anew");
    return get();
}

}  // namespace

const NetworkLibrary& network_library() {
    static const NetworkLibrary* const library = load();
    return *library;
}

}  // namespace wsi
