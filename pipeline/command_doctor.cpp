#include <fmt/format.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "config/version.h"
#include "pipeline/commands.h"
#include "pipeline/memory_plan.h"
#include "pipeline/runtime.h"
#include "pipeline/runtime_dependencies.h"

namespace wsi {

namespace {

/// Segments a small painted tile: the stages and the model really run.
std::string self_test() {
    const auto segmenter = make_segmenter({.name = "classical"});
    const int side = segmenter->input_spec().input_px();
    TileSlot slot;
    slot.rgb = RgbImage(side, side, 235);
    for (int y = side / 2 - 6; y < side / 2 + 6; ++y)
        for (int x = side / 2 - 6; x < side / 2 + 6; ++x) {
            slot.rgb(x, y, 0) = 90;
            slot.rgb(x, y, 1) = 60;
            slot.rgb(x, y, 2) = 140;
        }
    slot.normalised = slot.rgb;
    for (GrayImage& map : slot.maps) map.resize(side, side);
    SlideSample sample;
    sample.patches.push_back(slot.rgb);
    const std::vector<double> params = segmenter->fit_slide(sample);
    TileSlot* const batch[] = {&slot};
    segmenter->segment(batch, params);
    if (slot.maps[kProbability](side / 2, side / 2) <= slot.maps[kProbability](8, 8))
        fail(ErrorKind::Internal, "the painted nucleus was not found");
    return "a painted nucleus is found";
}

/// Loads the model that is used when none is named.
std::string default_model() {
    const ModelConfig config;
    const InputSpec spec = make_segmenter(config)->input_spec();
    return fmt::format("{} for {} µm per pixel", config.name, spec.mpp.value);
}

std::string memory() {
    const int64_t bytes = available_memory_bytes();
    if (bytes == std::numeric_limits<int64_t>::max()) return "unknown";
    const double mib = static_cast<double>(bytes) / (1 << 20);
    auto text = fmt::format("{:.0f} MiB available, a run takes up to {} by default", mib,
                            kDefaultMemoryMib);
    if (mib < static_cast<double>(kDefaultMemoryMib))
        fail(ErrorKind::Device, text, "; give less with --memory");
    return text;
}

std::string free_space() {
    struct statvfs s {};
    if (statvfs(".", &s) != 0) fail(ErrorKind::Output, "the current folder cannot be examined");
    const auto gib = static_cast<double>(s.f_bavail) * static_cast<double>(s.f_frsize) / (1 << 30);
    return fmt::format("{:.1f} GiB free in the current folder", gib);
}

}  // namespace

int doctor_command(const CommonOptions&) {
    const Runtime runtime(available_cores());
    fmt::print("wsi-segment {} (results version {}, format {})\n", program_version(),
               kResultsVersion, kFormatVersion);
    std::vector<DependencyReport> reports = check_dependencies();
    for (const DependencyReport& r : check_runtime_libraries()) reports.push_back(r);
    const auto add = [&reports](const char* name, const std::function<std::string()>& test) {
        reports.push_back(report_on(name, "", test));
    };
    add("processor", [] { return fmt::format("{} cores", available_cores()); });
    add("memory", &memory);
    add("disk", &free_space);
    add("model", &self_test);
    add("default model", &default_model);
    bool healthy = true;
    for (const DependencyReport& r : reports) {
        fmt::print("  {:4} {:13} {}\n", r.health == Health::Good ? "ok" : "BAD", r.name, r.detail);
        healthy = healthy && r.health == Health::Good;
    }
    fmt::print("{}\n", healthy ? "healthy" : "not healthy: see docs/troubleshooting.md");
    return healthy ? 0 : exit_code(ErrorKind::Device);
}

}  // namespace wsi
