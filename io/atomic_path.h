#pragma once

#include <string>

#include "config/error.h"

namespace wsi {

/// A file that stands under its name only when it is whole: written as `<path>.tmp`, removed unless
/// commit() is reached.
class AtomicPath {
public:
    /// `suffix` of the temporary name, for libraries that look at a name's end.
    explicit AtomicPath(std::string path, const char* suffix = ".tmp")
        : path_(std::move(path)), temporary_(path_ + suffix) {}
    ~AtomicPath();
    AtomicPath(const AtomicPath&) = delete;
    AtomicPath& operator=(const AtomicPath&) = delete;
    const std::string& path() const { return path_; }
    const std::string& temporary() const { return temporary_; }
    /// fsync, rename, fsync of the folder. Throws Error{Output}.
    void commit();

private:
    std::string path_, temporary_;
    bool done_ = false;
};

/// Throws Error{Output} "cannot <what> <path>: <reason>; <remedy>" from errno's value.
[[noreturn]] void output_error(const std::string& path, const char* what, int code);

}  // namespace wsi
