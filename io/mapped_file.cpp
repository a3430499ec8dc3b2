#include "io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "config/error.h"

namespace wsi {

namespace {
struct Descriptor {
    explicit Descriptor(int number) : fd(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    int fd;
};
}  // namespace

MappedFile::MappedFile(const std::string& path) {
    // Not blocking: opening a named pipe must not hang.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (file.fd < 0 || ::fstat(file.fd, &status) != 0)
        fail(ErrorKind::Checkpoint, "cannot open the weights file ", path, ": ",
             std::strerror(errno), "; check the path and its permissions");
    if (!S_ISREG(status.st_mode))
        fail(ErrorKind::Checkpoint, path, ": is a folder or a device, expected a weights file");
    if (status.st_size == 0)
        fail(ErrorKind::Checkpoint, path, ": is empty (0 bytes), expected weights; fetch it again");
    const auto size = static_cast<size_t>(status.st_size);
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd, 0);
    if (start == MAP_FAILED)
        fail(ErrorKind::Checkpoint, "cannot map the weights file ", path, ": ",
             std::strerror(errno));
    bytes_ = {static_cast<const std::byte*>(start), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
    // munmap takes a pointer to non-const, though it changes no byte.
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace wsi
