#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "pipeline/cpu_clock.h"

namespace wsi {

enum class StopRequest : int {
    None = 0,
    Finish = 1,  ///< first signal: finish what is in flight, keep finished regions
    Cancel = 2   ///< second signal: drop everything that is open
};

/// Counters that the progress display reads while a slide is processed, and the wish to stop. One
/// per slide; written by any thread.
struct RunStatus {
    std::atomic<int64_t> tiles_total{0}, tiles_done{0}, tiles_restored{0};
    std::atomic<int64_t> regions_done{0};
    std::atomic<int64_t> nuclei{0};
    std::atomic<double> mm2_per_tile{0};
    std::atomic<const char*> phase{"open"};
    std::atomic<double> phase_fraction{0};     ///< of phases that do not count tiles
    StageClocks cpu{};                         ///< nanoseconds
    std::atomic<StopRequest>* stop = nullptr;  ///< shared by all slides of a process; may be null

    /// Called at named points of the run by any thread; tests end the process there.
    std::function<void(const char* point)> probe;

    void at(const char* point) const {
        if (probe) probe(point);
    }
    StopRequest stop_request() const { return stop ? stop->load() : StopRequest::None; }
    bool stopping() const { return stop_request() != StopRequest::None; }
    void enter(const char* name) {
        phase = name;
        phase_fraction = 0;
    }
};

}  // namespace wsi
