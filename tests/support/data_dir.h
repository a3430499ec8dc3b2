#pragma once

#include <cstdlib>
#include <string>

/// Folder with the real slides (`slides/`) and nuclei images (`nuclei/`); tests that need it skip
/// with a reason when WSI_TEST_DATA is not set.
namespace wsi::test {
inline std::string data_dir() {
    const char* dir = std::getenv("WSI_TEST_DATA");
    return dir ? dir : "";
}
}  // namespace wsi::test

#define WSI_NEED_DATA()                \
    if (wsi::test::data_dir().empty()) \
    GTEST_SKIP() << "WSI_TEST_DATA is not set: the folder with the real slides"
