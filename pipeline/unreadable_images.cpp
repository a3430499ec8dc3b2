#include "pipeline/unreadable_images.h"

#include <spdlog/spdlog.h>

namespace wsi {

void UnreadableImages::add(const Error& error) {
    spdlog::warn("left out: {}", error.what());
    last_ = error.what();
    if (++failed_ * 100 > total_ + 99)
        fail(ErrorKind::Config, failed_, " of ", total_,
             " images cannot be read, more than one in a hundred; the last: ", last_);
}

void UnreadableImages::report() const {
    if (failed_ == 0) return;
    if (failed_ == total_)
        fail(ErrorKind::Config, "none of the ", total_, " images can be read; the last: ", last_);
    spdlog::warn("{} of {} images were left out", failed_, total_);
}

}  // namespace wsi
