#include "pipeline/train_progress.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>

namespace wsi {

namespace {

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

std::string hours_and_minutes(double left_s) {
    const int64_t minutes = std::llround(left_s / 60);
    return minutes < 60 ? fmt::format("{} min", minutes)
                        : fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

}  // namespace

TrainProgress::TrainProgress(int64_t step, int64_t steps)
    : first_(step),
      steps_(steps),
      quiet_(!spdlog::should_log(spdlog::level::info)),
      terminal_(isatty(STDERR_FILENO) != 0) {}

TrainProgress::~TrainProgress() {
    if (!quiet_ && terminal_) fmt::print(stderr, "\r\033[K");
}

void TrainProgress::step(int64_t step, const StepLoss& loss, double waited_s) {
    constexpr double kShare = 0.05;
    smooth_loss_ =
        step == first_ + 1 ? loss.total : (1 - kShare) * smooth_loss_ + kShare * loss.total;
    const auto now = Clock::now();
    const auto period = terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(30);
    if (quiet_ || now - shown_ < period) return;
    shown_ = now;
    const double elapsed_s = seconds(now - start_);
    // Scoring the development images is in the time of a step, as it will be in those to come.
    const double step_s = elapsed_s / static_cast<double>(step - first_);
    const std::string line =
        fmt::format("step {}/{}, loss {:.4f}, {:.2f} s/step, waited for patches {:.1f} %, ETA {}",
                    step, steps_, smooth_loss_, step_s, 100 * waited_s / elapsed_s,
                    hours_and_minutes(step_s * static_cast<double>(steps_ - step)));
    if (terminal_)
        fmt::print(stderr, "\r\033[K{}", line);
    else
        spdlog::info(line);
}

double TrainProgress::minutes_since_checkpoint() const {
    return seconds(Clock::now() - saved_) / 60;
}

void TrainProgress::checkpoint_made() { saved_ = Clock::now(); }

}  // namespace wsi
