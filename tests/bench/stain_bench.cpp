// Macenko's normalisation of one image, on one thread: fit on all of its pixels, then transfer.
// usage: stain_bench IN.ppm OUT.ppm [REPEATS]; prints each stain (R, G, B, 99th
// percentile of its amount) and the least CPU times of all repeats.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <limits>

#include "stages/stain.h"
#include "tests/support/pnm.h"

namespace {

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Function>
double least_seconds(int repeats, Function&& function) {
    double least = std::numeric_limits<double>::max();
    for (int i = 0; i < repeats; ++i) {
        const double start = cpu_seconds();
        function();
        least = std::min(least, cpu_seconds() - start);
    }
    return least;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace wsi;
    if (argc < 3) return 1;
    int repeats = 1;
    if (argc > 3) std::from_chars(argv[3], argv[3] + std::strlen(argv[3]), repeats);
    const RgbImage in = test::read_pnm<3>(argv[1]);
    RgbImage out(in.width(), in.height());
    StainConfig config;
    config.method = StainMethod::Macenko;
    StainFit fit;
    const auto bytes = static_cast<size_t>(in.size().area() * 3);
    const double fitting = least_seconds(repeats, [&] {
        fit = fit_stain({in.data(), bytes}, config);
    });
    const double transfer =
        least_seconds(repeats, [&] { StainNormaliser(fit, StainSet::He)(in.view(), out.view()); });
    test::write_pnm<3>(argv[2], out);
    for (size_t k = 0; k < 2; ++k)
        std::printf("%.17g %.17g %.17g %.17g\n", fit.matrix[k][0], fit.matrix[k][1],
                    fit.matrix[k][2], fit.max_concentration[k]);
    std::printf("fit %.6f s, transfer %.6f s, %.2f ns per pixel, fitted %d\n", fitting, transfer,
                1e9 * transfer / static_cast<double>(in.size().area()), fit.fitted ? 1 : 0);
}
