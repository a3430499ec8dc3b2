#include "pipeline/progress.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <condition_variable>
#include <mutex>

#include "pipeline/provenance.h"

namespace wsi {

namespace {
constexpr std::chrono::milliseconds kTerminalPeriod{250};
constexpr std::chrono::seconds kLogPeriod{30};

std::string duration(double seconds) {
    const int64_t s = std::llround(seconds);
    if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
    return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}
}  // namespace

Progress::Progress(std::string name, const RunStatus& status, ProgressMode mode)
    : name_(std::move(name)), status_(status), mode_(mode) {
    if (mode != ProgressMode::Quiet)
        thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
}

Progress::~Progress() = default;

std::string Progress::line() const {
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const std::string phase = status_.phase.load();
    if (phase != "tiles")
        return fmt::format("{}: {} {:.0f} %, {}", name_, phase, 100 * status_.phase_fraction.load(),
                           duration(elapsed));
    const int64_t done = status_.tiles_done, total = status_.tiles_total;
    const auto fresh = static_cast<double>(done - status_.tiles_restored);
    const double rate = fresh / std::max(elapsed, 1e-3);
    const std::string eta =
        rate > 0 ? duration(static_cast<double>(total - done) / rate) : std::string("?");
    return fmt::format("{}: {}/{} tiles, {:.1f} tiles/s, {:.2f} mm²/s, {} nuclei, ETA {}, {} MiB",
                       name_, done, total, rate, rate * status_.mm2_per_tile, status_.nuclei.load(),
                       eta, peak_rss_mib());
}

void Progress::loop(std::stop_token stop) {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    const auto period = terminal
                            ? kTerminalPeriod
                            : std::chrono::duration_cast<std::chrono::milliseconds>(kLogPeriod);
    // Wakes at once when the run ends; nothing else notifies.
    while (!wake.wait_for(lock, stop, period, [&] { return stop.stop_requested(); })) {
        if (terminal)
            fmt::print(stderr, "\r\033[K{}", line());
        else
            spdlog::info(line());
    }
    if (terminal) fmt::print(stderr, "\r\033[K");
}

}  // namespace wsi
