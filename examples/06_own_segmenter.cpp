// A segmenter of your own in the whole pipeline: implement two functions, hand it to run_slide().
// usage: example_06_own_segmenter SLIDE OUT.h5 [more outputs]
#include <algorithm>
#include <cstdio>

#include "pipeline/runtime.h"
#include "pipeline/slide_run.h"

namespace {

/// Calls dark red-absorbing pixels nuclei: crude, but everything a segmenter must do.
class DarknessSegmenter final : public wsi::Segmenter {
public:
    DarknessSegmenter() {
        spec_.name = "darkness";
        spec_.mpp = wsi::Mpp{0.5};
        spec_.halo_px = 0;        // a pixel's answer needs no surroundings
        spec_.normalised = true;  // one threshold fits every slide when colours are normalised
        spec_.hash =
            "darkness-1";  // change it whenever the answers change: saved parts depend on it
    }
    const wsi::InputSpec& input_spec() const override { return spec_; }

    /// Called by several threads at once: no state is changed.
    void segment(std::span<wsi::TileSlot* const> batch, std::span<const double>) override {
        for (wsi::TileSlot* slot : batch)
            for (int64_t y = 0; y < slot->normalised.height(); ++y)
                for (int64_t x = 0; x < slot->normalised.width(); ++x) {
                    const int red = slot->normalised(x, y, 0);
                    const int p = std::clamp(128 + 2 * (kThreshold - red), 0, 255);
                    slot->maps[wsi::kProbability](x, y) = static_cast<uint8_t>(p);
                    // High in a nucleus's middle; separation smooths it and looks for its peaks.
                    slot->maps[wsi::kDistance](x, y) = static_cast<uint8_t>(p);
                }
    }

private:
    static constexpr int kThreshold = 130;  ///< of red, 0..255
    wsi::InputSpec spec_;
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 3) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " SLIDE OUT.h5 [...]");
    wsi::Config config;
    config.run.threads = wsi::available_cores();
    config.model.name = "darkness";
    const wsi::Runtime runtime(config.run.threads);

    wsi::SlideJob job;
    job.slide = argv[1];
    job.outputs.assign(argv + 2, argv + argc);  // the suffix decides the format
    job.restart = wsi::Restart::Yes;            // do not resume what an earlier run left
    wsi::RunStatus status;
    const wsi::SlideReport report =
        wsi::run_slide(job, config, status, [] { return std::make_unique<DarknessSegmenter>(); });

    std::printf("%llu nuclei on %.3f mm2 in %.1f s\n",
                static_cast<unsigned long long>(report.nuclei), report.tissue_mm2, report.seconds);
    return report.outcome == wsi::SlideOutcome::Complete && report.nuclei > 0 ? 0 : 2;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}
