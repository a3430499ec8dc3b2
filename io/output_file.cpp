#include "io/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace wsi {

OutputFile::OutputFile(const std::string& path) : target_(path) {
    fd_ = ::open(target_.temporary().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) output_error(path, "create", errno);
}

OutputFile::~OutputFile() {
    if (fd_ >= 0) ::close(fd_);
}

void OutputFile::write(const void* bytes, int64_t count) {
    const auto* p = static_cast<const char*>(bytes);
    while (count > 0 && error_ == 0) {
        const ssize_t n = ::write(fd_, p, static_cast<size_t>(count));
        if (n < 0 && errno != EINTR) error_ = errno;
        if (n < 0) continue;
        p += n;
        count -= n;
    }
}

int64_t OutputFile::read(void* bytes, int64_t count) {
    return ::read(fd_, bytes, static_cast<size_t>(count));
}

int64_t OutputFile::seek(int64_t offset, int whence) { return ::lseek(fd_, offset, whence); }

void OutputFile::check() const {
    if (error_ != 0) output_error(target_.path(), "write", error_);
}

void OutputFile::commit() {
    if (::close(std::exchange(fd_, -1)) != 0 && error_ == 0) error_ = errno;
    check();
    target_.commit();
}

}  // namespace wsi
