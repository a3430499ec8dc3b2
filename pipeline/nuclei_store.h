#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/block_file.h"
#include "io/types/nucleus.h"
#include "io/types/tile.h"

namespace wsi {

/// A nucleus taken from a file of another tool; its pixels stand beside it.
struct TakenNucleus {
    uint64_t order = 0;                      ///< place among all that were taken
    uint64_t source = 0;                     ///< its number in the file
    int32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;  ///< box, work pixels
    int32_t area_px = 0;
    float class_probability = 0, detection_probability = 0;
    uint32_t class_id = 0;

    PixelRect box() const { return rect_from_corners(x0, y0, x1, y1); }
};

struct TakenNuclei {
    std::vector<TakenNucleus> nuclei;
    std::vector<uint64_t> run_offsets{0};
    std::vector<PixelRun> runs;

    size_t size() const { return nuclei.size(); }
    std::span<const PixelRun> pixel_runs(size_t i) const {
        return {runs.data() + run_offsets[i],
                static_cast<size_t>(run_offsets[i + 1] - run_offsets[i])};
    }
    void append(const TakenNucleus& nucleus, std::span<const PixelRun> pixels) {
        nuclei.push_back(nucleus);
        runs.insert(runs.end(), pixels.begin(), pixels.end());
        run_offsets.push_back(runs.size());
    }
};

/// Sorts a stream of nuclei into regions on disk: files `<prefix>000000`, ... of a bounded number
/// of nuclei, each ordered by region. Memory does not grow with their number.
class NucleiStoreWriter {
public:
    explicit NucleiStoreWriter(std::string prefix) : prefix_(std::move(prefix)) {}
    void add(int64_t region_rank, const TakenNucleus& nucleus, std::span<const PixelRun> pixels);
    /// Writes what is left; returns the number of files.
    int finish();

private:
    void flush();
    std::string prefix_;
    int files_ = 0;
    std::vector<int64_t> ranks_;
    TakenNuclei pending_;
};

/// Reads the nuclei of single regions. Thread-safe.
class NucleiStoreReader {
public:
    NucleiStoreReader(const std::string& prefix, int files);
    bool any(int64_t region_rank) const;
    /// Appends the region's nuclei, in the order in which they were taken.
    void read(int64_t region_rank, TakenNuclei& out) const;

private:
    struct Range {
        uint64_t first, last;
    };
    struct File {
        BlockFileReader blocks;
        std::map<int64_t, Range> ranges;  ///< by region rank
    };
    std::vector<std::unique_ptr<File>> files_;
};

}  // namespace wsi
