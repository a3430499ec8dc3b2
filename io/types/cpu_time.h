#pragma once

#include <time.h>

#include <cstdint>

namespace wsi {

enum class CpuOf : clockid_t {
    Thread = CLOCK_THREAD_CPUTIME_ID,  ///< the calling one
    Process = CLOCK_PROCESS_CPUTIME_ID
};

/// CPU time spent so far, nanoseconds.
inline int64_t cpu_ns(CpuOf of) {
    timespec t;
    clock_gettime(static_cast<clockid_t>(of), &t);
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace wsi
