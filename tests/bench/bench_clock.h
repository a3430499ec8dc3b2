#pragma once

#include <time.h>

#include <charconv>
#include <chrono>
#include <string_view>

namespace wsi::test {

inline int whole_number(const char* text) {
    int value = 0;
    std::from_chars(text, text + std::string_view(text).size(), value);
    return value;
}

/// CPU time of all threads of this process.
inline double cpu_s() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

inline double wall_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace wsi::test
