#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/slide_run.h"

namespace wsi {

/// A finished result with kept maps as the start of another run: what it took over, its settings
/// with `changes` (key=value of separate.* and features.*), and how its tiles were cut. Throws
/// Error{Config} for a result without its settings, and for a change that the maps do not allow.
struct EarlierRun {
    KnownRun known;
    int tile_px = 0, halo_px = 0;
    Config config;
    std::string slide;  ///< as recorded, or beside the result when that is where it lies
};
EarlierRun read_earlier_run(const std::string& result, const std::vector<std::string>& changes);

}  // namespace wsi
