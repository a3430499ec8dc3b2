#include "pipeline/stop_signals.h"

#include <csignal>

namespace wsi {

namespace {
std::atomic<StopRequest> stop{StopRequest::None};
static_assert(std::atomic<StopRequest>::is_always_lock_free, "used in a signal handler");

extern "C" void on_stop_signal(int) {
    stop = stop.load() == StopRequest::None ? StopRequest::Finish : StopRequest::Cancel;
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
