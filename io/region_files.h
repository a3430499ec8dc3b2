#pragma once

#include <string>
#include <vector>

#include "io/block_file.h"
#include "io/slide.h"
#include "io/types/image.h"
#include "io/types/nucleus.h"

namespace wsi {

/// What the tiles of one region left behind: blended sums over `window` (region's data grown by the
/// feather) and own colours over `core`. Work frame.
struct RegionMapsHeader {
    PixelRect window, core;
    std::vector<FailedBlock> failures;
};

/// Writes sums [maps][window] uint16 and rgb [core] uint8. Rows are stored as they are, so that a
/// neighbour can read back just the strip it needs.
void write_region_maps(const std::string& path, const RegionMapsHeader& header,
                       std::span<const ImageView<const uint16_t>> sums, ConstRgbView rgb);

class RegionMapsReader {
public:
    explicit RegionMapsReader(const std::string& path);
    const RegionMapsHeader& header() const { return header_; }
    /// Adds one map's sums where the window overlaps `rect_work`; out has the size of rect_work.
    void add_sums(size_t map, const PixelRect& rect_work, ImageView<uint16_t> out) const;
    /// Copies colours where the core overlaps `rect_work`.
    void copy_rgb(const PixelRect& rect_work, RgbView out) const;

private:
    BlockFileReader file_;
    RegionMapsHeader header_;
};

/// Writes the nuclei that a region owns, in id order, with the failures met on the way.
void write_region_nuclei(const std::string& path, const NucleiBatch& nuclei,
                         const std::vector<FailedBlock>& failures);

/// Reads a region's nuclei one row of id cells at a time, so that assembly needs no more memory
/// than a band of the slide.
class RegionNucleiReader {
public:
    explicit RegionNucleiReader(const std::string& path);
    const std::vector<FailedBlock>& failures() const { return failures_; }
    uint64_t count() const { return count_; }
    /// Nuclei whose centroid lies in work rows [cell_row * kIdCellPx, ... + kIdCellPx).
    NucleiBatch rows_of_cell(int64_t cell_row) const;

private:
    struct CellRow {
        int64_t cell_row;
        uint64_t first, last;
    };
    BlockFileReader file_;
    size_t columns_ = 0;
    uint64_t count_ = 0;
    std::vector<CellRow> cell_rows_;
    std::vector<FailedBlock> failures_;
};

}  // namespace wsi
