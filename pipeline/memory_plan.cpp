#include "pipeline/memory_plan.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "pipeline/measure_neighbours.h"

namespace wsi {

namespace {
constexpr int64_t kMib = 1 << 20;
// Bytes per pixel of a region's window while it is separated: sums 2, colours 3, labels 4, mask and
// heights 3, and 11 in the box of the component that is being flooded, which spans the window where
// tissue hangs together; and one for each map.
constexpr int64_t kFinishBytesPerPx = 23;
// Own colours 3, normalised 3; and one for each map.
constexpr int64_t kSlotBytesPerPx = 6;
// Colours; and a uint16 sum for each map.
constexpr int64_t kOpenBytesPerPx = 3;
constexpr int64_t kLeastCacheBytes = 32 * kMib;

int64_t slot_bytes(const InputSpec& spec) {
    const int64_t input = spec.input_px();
    return input * input * (kSlotBytesPerPx + std::ssize(spec.maps()));
}

/// A partial batch must never hold every slot: the end of the stream needs one.
int least_slots(int batch) { return batch + 2; }

struct Costs {
    int64_t slot, open, finish;
};

Costs costs_of(const SlidePlan& plan, int halo_px) {
    int64_t open = 0, finish = 0;
    for (int64_t rank = 0; rank < plan.regions.count(); ++rank) {
        const RegionIndex region = plan.regions.at(rank);
        if (plan.blank(region)) continue;
        open = std::max(open, plan.data_window(region).area());
        finish = std::max(
            finish, intersection(plan.data_core(region).grown(halo_px), plan.frame.rect()).area());
    }
    const int64_t maps = std::ssize(plan.spec.maps());
    return {slot_bytes(plan.spec), open * (kOpenBytesPerPx + 2 * maps),
            finish * (kFinishBytesPerPx + maps)};
}
}  // namespace

int64_t memory_budget_bytes(const RunConfig& run) {
    return (run.memory_mib > 0 ? run.memory_mib : kDefaultMemoryMib) * kMib;
}

MemoryPlan plan_memory(const RunConfig& run, const SlidePlan& plan, int threads, int batch,
                       int halo_px, int64_t segmenter_bytes) {
    const int64_t budget = memory_budget_bytes(run) + (run.memory_mib > 0 ? 0 : segmenter_bytes);
    const Costs cost = costs_of(plan, halo_px);
    MemoryPlan out;
    // Two batches in flight and one tile being read per thread keep everybody busy; more would only
    // take memory.
    out.slots = 2 * batch + 2 * threads;
    out.open_regions = 3;
    out.finishers = threads;
    int64_t cache = std::min<int64_t>(96, 32 + 16 * threads) * kMib;
    const auto need = [&] {
        return kFixedBytes + segmenter_bytes + cache + out.slots * cost.slot +
               out.open_regions * cost.open + out.finishers * cost.finish;
    };
    while (need() > budget && out.finishers > 1) --out.finishers;
    if (need() > budget) out.open_regions = 2;
    if (need() > budget) out.slots = least_slots(batch);
    if (need() > budget) cache = kLeastCacheBytes;
    if (need() > budget)
        fail(ErrorKind::Config, "memory = ", budget / kMib,
             " MiB is too small for this slide: at least ", ceil_div(need(), kMib),
             " MiB are needed with tiling.region_px and batch ", batch,
             "; raise --memory or lower tiling.region_px");
    out.cache_bytes = static_cast<size_t>(cache);
    out.total_mib = ceil_div(need(), kMib);
    return out;
}

int64_t available_memory_bytes() {
    int64_t available = std::numeric_limits<int64_t>::max();
    std::ifstream info("/proc/meminfo");
    for (std::string key; info >> key;)
        if (int64_t kib = 0; key == "MemAvailable:" && info >> kib) available = kib * 1024;
    // A container's limit (cgroup v2); "max", where there is none, is no number.
    int64_t most = 0, used = 0;
    std::ifstream limit("/sys/fs/cgroup/memory.max"), current("/sys/fs/cgroup/memory.current");
    if (limit >> most && current >> used) available = std::min(available, most - used);
    return available;
}

void check_batch_memory(const RunConfig& run, const InputSpec& spec, int workers, int batch,
                        int64_t segmenter_bytes, int64_t available_bytes) {
    const int64_t need = kFixedBytes + kLeastCacheBytes + segmenter_bytes +
                         int64_t{least_slots(batch)} * slot_bytes(spec);
    const bool given = run.memory_mib > 0;
    const int64_t most = given ? memory_budget_bytes(run) : available_bytes;
    if (need <= most) return;
    fail(given ? ErrorKind::Config : ErrorKind::Device,
         "not enough memory for the batch: ", workers, " workers of ", spec.name, " and ",
         least_slots(batch), " tiles of ", spec.input_px(), " px need at least ",
         ceil_div(need, kMib), " MiB, ", given ? "--memory allows " : "the machine has ",
         most / kMib, " MiB", given ? "" : " to give", "; ", given ? "raise --memory, or " : "",
         "lower --threads", batch > 1 ? " or model.batch" : "");
}

// By then tiles, regions and caches are gone, so that the fixed part is all that is left.
void check_neighbour_memory(const RunConfig& run, uint64_t nuclei) {
    const int64_t budget = memory_budget_bytes(run);
    const int64_t need = kFixedBytes + static_cast<int64_t>(nuclei) * kNeighbourBytes;
    if (need > budget)
        fail(ErrorKind::Config, "memory = ", budget / kMib,
             " MiB is too small for the neighbours of ", nuclei, " nuclei: ", ceil_div(need, kMib),
             " MiB are needed; the same command with a higher --memory goes on from here, or start "
             "anew with features.neighbours = false");
}

}  // namespace wsi
