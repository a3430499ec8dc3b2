#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pipeline/slide_run.h"
#include "tests/support/fake_segmenter.h"
#include "tests/support/temp_dir.h"

namespace wsi::test {

/// How a child process ended.
struct ChildEnd {
    int exit_code = -1;
    int signal = 0;
    std::string message;  ///< what an Error said
};

/// Runs `body` in a forked child, which starts without any of the libraries' threads.
ChildEnd run_in_child(const std::function<void()>& body);

/// One run of a slide with a given segmenter.
struct SlideTrial {
    std::string slide;
    std::function<std::unique_ptr<Segmenter>()> segmenter;
    std::vector<std::string> outputs;
    int region_px = 512;
    int threads = 2;
    uint64_t shuffle_seed = 0;
    std::string kill_point;  ///< empty: run to the end
    int kill_at = 0;         ///< SIGKILL at this call of the point, from 1
    std::string thrown;  ///< if not empty: an Error{Device} of this text is thrown there instead
    Config config;
    SlideOutcome expected = SlideOutcome::Complete;
    std::shared_ptr<const KnownRun> known;
    std::optional<ForeignNuclei> nuclei;
    std::string roi;
    Frame frame = Frame::Qupath;
    std::vector<std::string> columns;  ///< of the exports
};
ChildEnd run_child(const SlideTrial& run);

/// How often each probe point is passed in a straight run.
std::map<std::string, int> count_points(const SlideTrial& run);

/// Digests of a run's result and exports, by file name; /provenance left out.
std::map<std::string, std::string> digests(const std::vector<std::string>& outputs);

/// The first thing in which two digests differ; empty when equal.
std::string first_difference(const std::map<std::string, std::string>& a,
                             const std::map<std::string, std::string>& b);

}  // namespace wsi::test
