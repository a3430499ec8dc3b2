// Time and memory of measuring the neighbours of many nuclei, their columns' writing included.
// usage: neighbours_bench NUCLEI OUT.h5
#include <sys/resource.h>
#include <tbb/global_control.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "pipeline/measure_neighbours.h"
#include "stages/neighbours.h"
#include "tests/support/synthetic_result.h"

namespace {

double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

long peak_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

}  // namespace

int main(int argc, char** argv) {
    uint64_t nuclei = 0;
    if (argc < 3 ||
        std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), nuclei).ec != std::errc{})
        return 1;
    const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
    const wsi::test::SyntheticResult made(nuclei, 9);
    wsi::ResultHeader header = made.header();
    const wsi::FeatureSchema more = wsi::neighbour_columns();
    header.schema.insert(header.schema.end(), more.begin(), more.end());
    wsi::ResultWriter writer(argv[2], header);
    std::vector<wsi::Site> sites;
    sites.reserve(nuclei);
    for (uint64_t first = 0; first < nuclei; first += 5000) {
        const wsi::NucleiBatch rows = made.rows(first, std::min<uint64_t>(5000, nuclei - first));
        for (const wsi::NucleusIdentity& who : rows.identity) sites.push_back(wsi::site_of(who));
        writer.append(rows);
    }
    const long before = peak_kib();
    const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    wsi::RunStatus status;
    wsi::measure_neighbours(sites, header.frame, header, writer, status);
    std::printf("%llu nuclei: %.2f s, %.2f s CPU, %.0f bytes each beyond the sites\n",
                static_cast<unsigned long long>(nuclei), seconds(CLOCK_MONOTONIC) - wall,
                seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
                static_cast<double>(peak_kib() - before) * 1024 / static_cast<double>(nuclei));
    writer.finish();
}
