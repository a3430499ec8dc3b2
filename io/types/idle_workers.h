#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wsi {

/// Large per-thread memory that is kept for the next one who needs it. Any thread may call; there
/// are never more workers than were lent at the same time.
template <class Worker>
class IdleWorkers {
public:
    /// One that was given back, else what `make` returns.
    template <class Make>
    std::unique_ptr<Worker> borrow(Make&& make) {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<Worker> worker = std::move(idle_.back());
                idle_.pop_back();
                return worker;
            }
        }
        return make();
    }
    void give_back(std::unique_ptr<Worker> worker) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(worker));
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace wsi
