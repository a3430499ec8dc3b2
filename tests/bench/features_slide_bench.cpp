// Nuclei per second of the feature table on a real slide's labels, group by group, one thread.
// usage: features_slide_bench SLIDE RESULT.h5 [COLOURS]
// RESULT.h5: made from SLIDE. COLOURS: file that gets the work frame's pixels, [height][width][3]
// bytes, for tests/reference/features_agreement.py, which runs other tools on the same.
#include <cstdio>
#include <ctime>
#include <fstream>

#include "io/result_store.h"
#include "io/work_reader.h"
#include "stages/features.h"

namespace {

using namespace wsi;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Slice {
    explicit Slice(const char* slide_path, const char* result_path) {
        const ResultReader result(result_path);
        frame = result.header().frame;
        stains = result.header().stain_matrix;
        labels.resize(frame.size.width, frame.size.height);
        rgb.resize(frame.size.width, frame.size.height);
        result.read(Raster::Labels, frame.rect(), labels.view());
        rows = result.rows(0, result.count());
        SlideConfig config;
        config.mpp = result.header().slide.mpp_x;
        const auto slide = open_slide(slide_path, config);
        WorkReader(*slide, frame, size_t{64} << 20).read(frame.rect(), rgb.view());
        runs.resize(rows.size());
        for (int32_t y = 0; y < frame.size.height; ++y)
            for (int32_t x = 0, begin = 0; x < frame.size.width; x = begin) {
                const uint32_t label = labels(x, y);
                while (begin < frame.size.width && labels(begin, y) == label) ++begin;
                if (label != 0) runs[label - 1].push_back({y, x, begin});
            }
    }
    WorkFrame frame;
    StainMatrix stains;
    Image<uint32_t> labels;
    RgbImage rgb;
    NucleiBatch rows;
    std::vector<std::vector<PixelRun>> runs;
};

/// Best of three passes over all nuclei.
double seconds_of(const Slice& slice, const FeatureConfig& config) {
    FeatureExtractor extract(slice.frame, slice.stains, config);
    std::vector<float> row(feature_schema(config).size());
    double best = 1e9, sum = 0;
    for (int pass = 0; pass < 3; ++pass) {
        const double begin = cpu_seconds();
        for (size_t i = 0; i < slice.runs.size(); ++i) {
            extract({slice.runs[i],
                     slice.rows.contour(i),
                     slice.rgb.view(),
                     slice.labels.view(),
                     {0, 0}},
                    row);
            sum += static_cast<double>(row[0]);
        }
        best = std::min(best, cpu_seconds() - begin);
    }
    if (!(sum > 0)) std::puts("no nuclei");
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 1;
    const Slice slice(argv[1], argv[2]);
    if (argc > 3)
        std::ofstream(argv[3], std::ios::binary)
            .write(reinterpret_cast<const char*>(slice.rgb.data()), 3 * slice.rgb.size().area());
    struct Groups {
        const char* name;
        bool moments, intensity, texture;
        double ring_um;
    };
    const double ring = FeatureConfig{}.ring_um;
    for (const Groups& g : {Groups{"shape", false, false, false, 0},
                            {"shape, moments", true, false, false, 0},
                            {"shape, colours without ring", false, true, false, 0},
                            {"shape, colours with ring", false, true, false, ring},
                            {"shape, texture of nucleus", false, false, true, 0},
                            {"shape, texture of both", false, false, true, ring},
                            {"everything", true, true, true, ring}}) {
        FeatureConfig config;
        config.moments = g.moments;
        config.intensity = g.intensity;
        config.texture = g.texture;
        config.ring_um = g.ring_um;
        const auto n = static_cast<double>(slice.runs.size());
        const double seconds = seconds_of(slice, config);
        std::printf("%-28s %4zu columns %8.0f nuclei/s %6.1f us each\n", g.name,
                    feature_schema(config).size(), n / seconds, 1e6 * seconds / n);
    }
}
