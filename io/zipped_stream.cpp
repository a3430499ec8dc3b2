#include "io/zipped_stream.h"

#include <zlib.h>

#include <filesystem>
#include <streambuf>
#include <vector>

#include "config/error.h"

namespace wsi {

namespace {

class ZippedBuffer final : public std::streambuf {
public:
    explicit ZippedBuffer(const std::string& path)
        : path_(path), file_(gzopen(path.c_str(), "rb")), bytes_(1 << 18) {
        if (file_ == nullptr) fail(ErrorKind::Config, "cannot open ", path);
        gzbuffer(file_, 1 << 18);
    }
    ~ZippedBuffer() override { gzclose(file_); }
    ZippedBuffer(const ZippedBuffer&) = delete;
    ZippedBuffer& operator=(const ZippedBuffer&) = delete;
    int64_t taken() const { return gzoffset(file_); }

protected:
    int_type underflow() override {
        const int n = gzread(file_, bytes_.data(), static_cast<unsigned>(bytes_.size()));
        int code = Z_OK;
        const char* what = gzerror(file_, &code);
        if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END))
            fail(ErrorKind::Config, path_, ": cannot be unpacked (", what,
                 "); the file is truncated or damaged");
        if (n == 0) return traits_type::eof();
        setg(bytes_.data(), bytes_.data(), bytes_.data() + n);
        return traits_type::to_int_type(*gptr());
    }

private:
    const std::string path_;
    gzFile file_;
    std::vector<char> bytes_;
};

}  // namespace

struct ZippedStream::Impl {
    explicit Impl(const std::string& path)
        : buffer(path), in(&buffer), size(static_cast<double>(std::filesystem::file_size(path))) {}
    ZippedBuffer buffer;
    std::istream in;
    const double size;
};

ZippedStream::ZippedStream(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
ZippedStream::~ZippedStream() = default;
std::istream& ZippedStream::stream() { return impl_->in; }
double ZippedStream::fraction() const {
    return impl_->size > 0 ? static_cast<double>(impl_->buffer.taken()) / impl_->size : 1;
}

}  // namespace wsi
