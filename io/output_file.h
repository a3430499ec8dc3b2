#pragma once

#include <cstdint>
#include <string>

#include "io/atomic_path.h"

namespace wsi {

/// A file that a library writes through callbacks and that stands under its name only after
/// commit(). A write that fails is remembered and what follows is thrown away, so that a library
/// that cannot cope with a full disk never sees one.
class OutputFile {
public:
    /// Throws Error{Output} when it cannot be created.
    explicit OutputFile(const std::string& path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(const void* bytes, int64_t count);
    /// As read(2) and lseek(2).
    int64_t read(void* bytes, int64_t count);
    int64_t seek(int64_t offset, int whence);

    bool failed() const { return error_ != 0; }
    /// Throws Error{Output} with the system's reason if a write failed.
    void check() const;
    void commit();

private:
    AtomicPath target_;
    int fd_ = -1, error_ = 0;
};

}  // namespace wsi
