#include "pipeline/image_progress.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace wsi {

ImageProgress::ImageProgress(std::string what, size_t total, bool quiet)
    : what_(std::move(what)), total_(total), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

ImageProgress::~ImageProgress() {
    if (!quiet_ && terminal_) fmt::print(stderr, "\r\033[K");
}

void ImageProgress::done(const std::string& name) {
    ++done_;
    const auto now = Clock::now();
    if (quiet_ || (!terminal_ && now - shown_ < std::chrono::seconds(30))) return;
    shown_ = now;
    const double each =
        std::chrono::duration<double>(now - start_).count() / static_cast<double>(done_);
    const std::string line =
        fmt::format("{}: {}/{} images, {:.2f} s each, {:.0f} s left, {}", what_, done_, total_,
                    each, each * static_cast<double>(total_ - done_), name);
    if (terminal_)
        fmt::print(stderr, "\r\033[K{}", line);
    else
        spdlog::info(line);
}

}  // namespace wsi
