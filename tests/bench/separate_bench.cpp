// Maps to labels, on one thread. usage: separate_bench PROBABILITY.pgm DISTANCE.pgm MPP [LABELS.raw
// [REPEATS]]; labels as uint32, row by row. Prints the least CPU time of all repeats and a checksum
// of the labels.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>

#include "stages/separate.h"
#include "tests/support/pnm.h"

namespace {

template <class Number>
Number number(const char* text) {
    Number value{};
    WSI_CHECK(std::from_chars(text, text + std::strlen(text), value).ec == std::errc{}, text);
    return value;
}

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace wsi;
    if (argc < 4) return 1;
    const GrayImage probability = test::read_pnm<1>(argv[1]), distance = test::read_pnm<1>(argv[2]);
    const auto mpp = number<double>(argv[3]);
    const WorkFrame frame{probability.size(), 1, mpp, mpp};
    const Separator separate(SeparateParams::from(SeparateConfig{}, frame));
    Image<uint32_t> labels(frame.size.width, frame.size.height);
    double least = std::numeric_limits<double>::max();
    for (int i = argc > 5 ? number<int>(argv[5]) : 1; i > 0; --i) {
        const double start = cpu_seconds();
        separate(probability.view(), distance.view(), labels);
        least = std::min(least, cpu_seconds() - start);
    }
    if (argc > 4) {
        std::ofstream file(argv[4], std::ios::binary);
        file.write(static_cast<const char*>(static_cast<const void*>(labels.data())),
                   frame.size.area() * 4);
    }
    uint64_t sum = 0;
    for (int64_t i = 0; i < frame.size.area(); ++i)
        sum = sum * 0x9E3779B97F4A7C15u + labels.data()[i];
    std::printf("%.6f s, %.1f ns per pixel, labels %016lx\n", least,
                1e9 * least / static_cast<double>(frame.size.area()), sum);
}
