#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "pipeline/run_status.h"

namespace wsi {

enum class ProgressMode {
    Auto,  ///< one line on a terminal, else a log line every 30 s
    Quiet
};

/// Shows one slide's progress on stderr while it lives: tiles, rates, ETA and memory.
class Progress {
public:
    Progress(std::string name, const RunStatus& status, ProgressMode mode);
    ~Progress();

private:
    void loop(std::stop_token stop);
    std::string line() const;
    const std::string name_;
    const RunStatus& status_;
    const ProgressMode mode_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::jthread thread_;
};

}  // namespace wsi
