#pragma once

#include <cstddef>
#include <cstdint>

#include "config/config.h"
#include "pipeline/slide_plan.h"

namespace wsi {

/// Sizes of the bounded pools of one run, derived from `--memory`. Nothing else grows with a slide.
struct MemoryPlan {
    int slots = 0;           ///< tiles between admission and blending
    int open_regions = 0;    ///< regions whose tiles are being blended
    int finishers = 0;       ///< regions separated at the same time
    size_t cache_bytes = 0;  ///< decoded slide blocks
    int64_t total_mib = 0;   ///< what all of it may take, the program's own needs included
};

inline constexpr int64_t kDefaultMemoryMib = 1400;
/// What every run takes beside its pools. Measured on small slides: code, libraries' caches,
/// OpenSlide's own tile cache, result writing.
inline constexpr int64_t kFixedBytes = int64_t{330} << 20;

/// What `--memory` allows, or the default.
int64_t memory_budget_bytes(const RunConfig& run);

/// segmenter_bytes: what all of its running batches take together, and caches that only some runs
/// have; the default budget grows by it.
/// Throws Error{Config} naming the wanted and the least possible memory.
MemoryPlan plan_memory(const RunConfig& run, const SlidePlan& plan, int threads, int batch,
                       int halo_px, int64_t segmenter_bytes = 0);

/// Memory that the machine can give: what the kernel says is available, within a container's limit;
/// the largest number when it says nothing.
int64_t available_memory_bytes();

/// Before a slide is opened. Throws Error{Config} with both numbers when the segmenter's running
/// batches and the tiles they need are more than `--memory` allows or, where that is not given,
/// Error{Device} when they are more than `available_bytes`. segmenter_bytes: as plan_memory's.
void check_batch_memory(const RunConfig& run, const InputSpec& spec, int workers, int batch,
                        int64_t segmenter_bytes,
                        int64_t available_bytes = available_memory_bytes());

/// Throws Error{Config} when the neighbours of that many nuclei do not fit into the memory.
void check_neighbour_memory(const RunConfig& run, uint64_t nuclei);

}  // namespace wsi
