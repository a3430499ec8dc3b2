#include "pipeline/stop_signals.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

namespace wsi {

namespace {
std::atomic<StopRequest> stop{StopRequest::None};
static_assert(std::atomic<StopRequest>::is_always_lock_free, "used in a signal handler");

/// What asks nobody (fitting, assembling, exporting) may be ended like this: a kill is no worse.
void stop_now() {
    static constexpr std::string_view kText = "wsi-segment: stopped at once\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
    _exit(130);
}

extern "C" void on_stop_signal(int) {
    if (stop == StopRequest::Cancel) stop_now();
    StopRequest none = StopRequest::None;  // in one step: two signals may come to two threads
    if (!stop.compare_exchange_strong(none, StopRequest::Finish)) stop = StopRequest::Cancel;
}
}  // namespace

std::atomic<StopRequest>& install_stop_signals() {
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
    return stop;
}

}  // namespace wsi
