// Writes a result without a slide: nuclei on a grid, three classes, a probability map, bounds.
// usage: make_result NUCLEI COLUMNS OUT.h5
#include <charconv>
#include <cstdio>
#include <cstring>

#include "tests/support/synthetic_result.h"

namespace {
bool parse(const char* text, uint64_t& value) {
    const char* end = text + std::strlen(text);
    return std::from_chars(text, end, value).ptr == end;
}
}  // namespace

int main(int argc, char** argv) {
    uint64_t nuclei = 0, columns = 0;
    if (argc != 4 || !parse(argv[1], nuclei) || !parse(argv[2], columns) || columns < 9) {
        std::fprintf(stderr, "usage: make_result NUCLEI COLUMNS OUT.h5 (at least 9 columns)\n");
        return 1;
    }
    try {
        wsi::test::SyntheticResult result(nuclei, columns);
        result.header().slide.path = "folder/synthetic é.svs";
        result.header().classes = {{1, "Neoplastic", {255, 0, 0}},
                                   {2, "Inflammatory", {34, 221, 77}},
                                   {3, "Connective, \"dense\"", {35, 92, 236}}};
        result.header().keep_maps = true;
        // Not square, so that axes cannot be mixed up.
        result.header().slide.mpp_y = 0.26;
        result.header().frame.mpp_y = 0.52;
        result.write(argv[3]);
    } catch (const wsi::Error& error) {
        std::fprintf(stderr, "make_result: %s\n", error.what());
        return 1;
    }
}
