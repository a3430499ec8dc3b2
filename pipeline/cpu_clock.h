#pragma once

#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace wsi {

/// Where the CPU time of a run goes; the split is in /provenance/timings and docs/performance.md.
enum class Stage : size_t {
    Read,  ///< decode and resample
    Normalise,
    Segment,
    Blend,
    Store,  ///< maps of a region to disk
    Load,   ///< maps of a region and its neighbours from disk
    Separate,
    Contour,
    Features,
    Write,  ///< assembly of the result file
    Count
};
inline constexpr const char* kStageNames[] = {"read", "normalise", "segment", "blend",    "store",
                                              "load", "separate",  "contour", "features", "write"};

using StageClocks = std::array<std::atomic<int64_t>, static_cast<size_t>(Stage::Count)>;

/// Adds the calling thread's CPU time of a scope to one stage.
class CpuScope {
public:
    CpuScope(StageClocks& clocks, Stage stage)
        : total_(clocks[static_cast<size_t>(stage)]), start_(now()) {}
    ~CpuScope() { total_ += now() - start_; }
    CpuScope(const CpuScope&) = delete;
    CpuScope& operator=(const CpuScope&) = delete;

private:
    static int64_t now() {
        timespec t;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
    }
    std::atomic<int64_t>& total_;
    int64_t start_;
};

}  // namespace wsi
