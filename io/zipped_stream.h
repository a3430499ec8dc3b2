#pragma once

#include <istream>
#include <memory>
#include <string>

namespace wsi {

/// A file read as a stream, unpacked when it is gzipped (whatever its name). Errors of unpacking, a
/// truncated archive among them, throw Error{Config} while reading.
class ZippedStream {
public:
    explicit ZippedStream(const std::string& path);
    ~ZippedStream();
    std::istream& stream();
    /// Bytes of the file that were taken so far, as a share of it.
    double fraction() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace wsi
