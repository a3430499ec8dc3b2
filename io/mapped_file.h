#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace wsi {

/// A file mapped read-only: pages are read when they are touched and shared between processes. The
/// file must not be shortened while it is mapped (the system would stop the program).
class MappedFile {
public:
    /// Throws Error{Checkpoint} when the path is no readable, non-empty regular file.
    explicit MappedFile(const std::string& path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&&) = delete;
    std::span<const std::byte> bytes() const { return bytes_; }

private:
    std::span<const std::byte> bytes_;
};

}  // namespace wsi
