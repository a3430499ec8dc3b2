#include "pipeline/runtime.h"

#include <malloc.h>
#include <sched.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <opencv2/core.hpp>

namespace wsi {

struct Runtime::Impl {
    explicit Impl(int threads)
        : control(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads)) {}
    tbb::global_control control;
};

Runtime::Runtime(int threads) : impl_(std::make_unique<Impl>(threads)) {
    cv::setNumThreads(1);  // Debian's OpenCV would use TBB inside our TBB nodes
    // A full disk beyond the file size limit shall be an error of write(), not a signal.
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    // Large buffers are recycled by us; without this glibc keeps a heap per thread.
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

Runtime::~Runtime() = default;

void keep_freed_memory() {
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_TOP_PAD, 64 << 20);
}

int available_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::max(1, CPU_COUNT(&set));
}

}  // namespace wsi
