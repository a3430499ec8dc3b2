// Time and memory of writing a result of many nuclei and its exports.
// usage: export_bench NUCLEI FOLDER [SUFFIX...]
#include <sys/resource.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "io/export.h"
#include "tests/support/synthetic_result.h"

namespace {

double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Function>
void measure(const std::string& path, Function&& function) {
    const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    function();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("%-28s %7.2f s  %7.2f s CPU  %8.1f MB  peak so far %ld MB\n",
                std::filesystem::path(path).filename().c_str(), seconds(CLOCK_MONOTONIC) - wall,
                seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
                static_cast<double>(std::filesystem::file_size(path)) / 1e6,
                usage.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
    uint64_t nuclei = 0;
    if (argc < 3 ||
        std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), nuclei).ec != std::errc{})
        return 1;
    const std::string folder = argv[2], result = folder + "/bench.h5";
    measure(result, [&] { wsi::test::SyntheticResult(nuclei, 9).write(result); });
    const wsi::ResultReader reader(result);
    for (int i = 3; i < argc; ++i) {
        const std::string path = folder + "/bench" + argv[i];
        measure(path, [&] { wsi::export_result(reader, path, {}); });
    }
}
