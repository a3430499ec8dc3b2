#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "io/types/cpu_time.h"

namespace wsi {

/// Where the CPU time of a run goes; the split is in /provenance/timings and docs/performance.md.
enum class Stage : size_t {
    Read,  ///< decode
    Resample,
    Normalise,
    Segment,
    Blend,
    Store,  ///< maps of a region to disk
    Load,   ///< maps of a region and its neighbours from disk
    Separate,
    Contour,
    Features,
    Neighbours,
    Write,  ///< assembly of the result file
    Count
};
inline constexpr const char* kStageNames[] = {"read",    "resample", "normalise",  "segment",
                                              "blend",   "store",    "load",       "separate",
                                              "contour", "features", "neighbours", "write"};

using StageClocks = std::array<std::atomic<int64_t>, static_cast<size_t>(Stage::Count)>;

/// Adds the CPU time of a scope to one stage: the calling thread's, or the whole process' where
/// nothing but that stage runs.
class CpuScope {
public:
    CpuScope(StageClocks& clocks, Stage stage, CpuOf of = CpuOf::Thread)
        : total_(clocks[static_cast<size_t>(stage)]), of_(of), start_(cpu_ns(of)) {}
    ~CpuScope() { total_ += cpu_ns(of_) - start_; }
    CpuScope(const CpuScope&) = delete;
    CpuScope& operator=(const CpuScope&) = delete;

private:
    std::atomic<int64_t>& total_;
    const CpuOf of_;
    const int64_t start_;
};

/// Gives a stage a share of what a scope around it counted for another.
inline void move_cpu(StageClocks& clocks, Stage from, Stage to, int64_t ns) {
    clocks[static_cast<size_t>(from)] -= ns;
    clocks[static_cast<size_t>(to)] += ns;
}

/// CPU time of a scope for one stage, of which a part goes to another: in proportion to wall time,
/// because the part comes in pieces too short for the thread's CPU clock, a system call.
class SharedCpuScope {
public:
    SharedCpuScope(StageClocks& clocks, Stage main, Stage part)
        : clocks_(clocks), main_(main), part_(part) {}
    ~SharedCpuScope() {
        const int64_t cpu = cpu_ns(CpuOf::Thread) - cpu_start_;
        const auto wall = static_cast<double>((Clock::now() - start_).count());
        clocks_[static_cast<size_t>(main_)] += cpu;
        if (wall > 0)
            move_cpu(clocks_, main_, part_,
                     static_cast<int64_t>(static_cast<double>(cpu) *
                                          static_cast<double>(parts_.count()) / wall));
    }
    SharedCpuScope(const SharedCpuScope&) = delete;
    SharedCpuScope& operator=(const SharedCpuScope&) = delete;
    /// Runs a piece of the part.
    template <class Work>
    auto part(Work&& work) {
        const Clock::time_point begin = Clock::now();
        auto result = work();
        parts_ += Clock::now() - begin;
        return result;
    }

private:
    using Clock = std::chrono::steady_clock;
    StageClocks& clocks_;
    const Stage main_, part_;
    const int64_t cpu_start_ = cpu_ns(CpuOf::Thread);
    const Clock::time_point start_ = Clock::now();
    Clock::duration parts_{0};
};

}  // namespace wsi
