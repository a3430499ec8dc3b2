#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "config/error.h"

namespace wsi::test {

/// A fresh folder, removed at the end of scope.
class TempDir {
public:
    TempDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "wsi-test-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) fail(ErrorKind::Internal, "mkdtemp ", pattern);
        path_ = pattern;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }
    std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

}  // namespace wsi::test
