#include "io/atomic_path.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace wsi {

void output_error(const std::string& path, const char* what, int code) {
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    fail(ErrorKind::Output, "cannot ", what, " ", path, ": ", std::strerror(code),
         full
             ? "; free disk space or choose another output folder, then run the same command again "
               "to resume"
             : "; check the folder's permissions");
}

AtomicPath::~AtomicPath() {
    if (!done_) ::unlink(temporary_.c_str());
}

void AtomicPath::commit() {
    const int fd = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) output_error(temporary_, "finish", errno);
    const int synced = ::fsync(fd);
    const int code = errno;
    ::close(fd);
    if (synced != 0) output_error(temporary_, "flush", code);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) output_error(path_, "finish", errno);
    done_ = true;
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    // Makes the new name itself survive a power cut; some file systems do not allow it.
    if (const int dir = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
        dir >= 0) {
        ::fsync(dir);
        ::close(dir);
    }
}

}  // namespace wsi
