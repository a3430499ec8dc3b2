#pragma once

#include <cstdint>
#include <string>

#include "io/result_store.h"

namespace wsi::test {

/// A result without a slide: nuclei on a grid, 441 to each 512-px cell, in id order, every value a
/// function of the id alone. Rasters agree with the rows; classes
/// take turns; every 97th value is NaN.
class SyntheticResult {
public:
    /// `nuclei` may end in the middle of a cell; the frame is as large as they need, `columns`
    /// >= 9.
    explicit SyntheticResult(uint64_t nuclei, size_t columns = 16);

    ResultHeader& header() { return header_; }
    const ResultHeader& header() const { return header_; }
    uint64_t count() const { return nuclei_; }
    NucleiBatch rows(uint64_t first, uint64_t n) const;
    /// Labels of one 512-px cell.
    Image<uint32_t> labels(int64_t cell_row, int64_t cell_column) const;
    /// Writes rows in blocks of `rows_per_append` and every raster chunk.
    void write(const std::string& path, uint64_t rows_per_append = 5000) const;

private:
    int64_t cell_columns_ = 1, cell_rows_ = 1;
    uint64_t nuclei_;
    ResultHeader header_;
};

}  // namespace wsi::test
