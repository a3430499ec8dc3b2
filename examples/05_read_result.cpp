// Reads a result file and prints its first nuclei as a table. In Python: 05_read_result.py.
// usage: example_05_read_result OUT.h5 [ROWS]
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "io/result_store.h"

int main(int argc, char** argv) try {
    if (argc < 2) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " OUT.h5 [ROWS]");
    uint64_t wanted = 10;
    if (argc > 2) std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), wanted);

    const wsi::ResultReader result(argv[1]);
    const wsi::ResultHeader& header = result.header();
    std::printf("%s: %llu nuclei, %.3f mm2 of tissue, %zu unreadable blocks\n",
                header.slide.path.c_str(), static_cast<unsigned long long>(result.count()),
                header.tissue_mm2, header.failed_tiles.size());

    // Identity columns first, then the feature columns of the schema: here the first five.
    const size_t columns = std::min<size_t>(5, header.schema.size());
    std::printf("%6s %10s %10s", "id", "x px", "y px");
    for (size_t c = 0; c < columns; ++c) std::printf(" %22s", header.schema[c].name.c_str());
    std::printf(" %8s\n", "vertices");

    const wsi::NucleiBatch rows = result.rows(0, std::min(wanted, result.count()));
    for (size_t i = 0; i < rows.size(); ++i) {
        const wsi::NucleusIdentity& who = rows.identity[i];
        std::printf("%6zu %10.2f %10.2f", i + 1, who.centroid_x_px, who.centroid_y_px);
        for (size_t c = 0; c < columns; ++c)
            std::printf(" %22.4g", static_cast<double>(rows.row(i)[c]));
        std::printf(" %8zu\n", rows.contour(i).size());
    }
    return result.complete() ? 0 : 2;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
