#pragma once

#include <chrono>
#include <string>

namespace wsi {

/// Progress over many small images: one line on a terminal, else a log line every 30 s. Shown
/// between images, so that it needs no thread.
class ImageProgress {
public:
    ImageProgress(std::string what, size_t total, bool quiet);
    ~ImageProgress();
    ImageProgress(const ImageProgress&) = delete;
    ImageProgress& operator=(const ImageProgress&) = delete;
    void done(const std::string& name);

private:
    using Clock = std::chrono::steady_clock;
    const std::string what_;
    const size_t total_;
    const bool quiet_, terminal_;
    size_t done_ = 0;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point shown_ = start_;
};

}  // namespace wsi
