#pragma once

#include <memory>

namespace wsi {

/// Library set-up of the whole process, created once in main and in the test main: every library's
/// own thread pool is switched off or capped here, so that no more threads are busy than asked for.
class Runtime {
public:
    explicit Runtime(int threads);
    ~Runtime();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// From here on freed memory stays with the process: a network frees and asks for the same hundreds
/// of MB again and again, and the kernel would clear every page of them each time (a third of the
/// time of a training step).
void keep_freed_memory();

/// Cores this process may use (cgroup and affinity respected); at least 1.
int available_cores();

}  // namespace wsi
