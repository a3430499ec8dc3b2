#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/result_summary.h"
#include "io/slide.h"
#include "io/types/nucleus.h"
#include "io/types/work_frame.h"

namespace wsi {

struct NucleusClass {
    uint8_t id = 1;
    std::string name = "Nucleus";
    uint8_t rgb[3] = {160, 90, 160};
};

struct FailedTile {
    int64_t row = 0, column = 0;  ///< top left pixel of the block on `level`
    int level = 0;
    std::string kind, message;
};

/// One number about the whole slide.
struct SummaryValue {
    std::string name;
    double value = 0;
};

/// Everything of a result but its rows and rasters (product contract, section 4).
struct ResultHeader {
    SlideInfo slide;
    WorkFrame frame;
    FeatureSchema schema;
    std::vector<NucleusClass> classes{NucleusClass{}};
    /// /stain
    std::array<std::array<double, 3>, 2> stain_matrix{};
    std::array<double, 2> stain_max_concentration{};
    bool stain_fitted = false;
    std::string stain_reason;
    /// /tissue
    GrayImage tissue;
    double tissue_mpp = 0;
    double tissue_cell_work_px = 1;
    double tissue_mm2 = 0;
    std::vector<FailedTile> failed_tiles;
    /// /provenance: name -> text. The only part of a file that may differ between two runs.
    std::vector<std::pair<std::string, std::string>> provenance;
    std::string
        identity_hash;  ///< of what changes results; a finished file with the same is current
    std::string results_version;
    std::string program_version;
    bool keep_maps = false;
    bool has_distance = true;     ///< of the maps kept: the model fills a distance map
    bool has_class_maps = false;  ///< of the maps kept: one for each of `classes`
    bool foreign = false;         ///< nuclei found by another tool: rows have a `source`
};

inline constexpr int64_t kChunkPx = 512;  ///< side of a raster chunk in /mask, /labels, maps

/// ClassMaps has a layer for each class, in the order of the header's; the others have one layer.
enum class Raster { Mask, Labels, Probability, Distance, ClassMaps };

/// Shuffled and deflated bytes of one 512x512 chunk (padded with 0 at the frame's end), as HDF5's
/// filters would store them. Pure: may run in parallel.
std::vector<uint8_t> compress_chunk(ImageView<const uint8_t> pixels);
std::vector<uint8_t> compress_chunk(ImageView<const uint32_t> pixels);

/// Writes a result file as a stream. One thread. The file stands under its final name only after
/// finish(); before, it is `<path>.tmp`, removed when the writer is destroyed unfinished.
class ResultWriter {
public:
    ResultWriter(const std::string& path, const ResultHeader& header);
    ~ResultWriter();
    /// Rows in id order; ids are given from 1 on. They hold the first `rows.columns` columns of the
    /// schema; append_column() adds the values of the others, each in id order.
    void append(const NucleiBatch& rows);
    void append_column(size_t column, std::span<const float> values);
    /// Attributes of /summary/<group>.
    void add_summary(const std::string& group, const std::vector<SummaryValue>& values);
    void write_chunk(Raster raster, int64_t chunk_row, int64_t chunk_column,
                     std::span<const uint8_t> compressed, size_t layer = 0);
    /// The rest of the table, and /summary. Nothing can be appended or added any more.
    void summarise();
    /// Status, the header's provenance with `late` in it in place of the texts of the same names;
    /// flush, fsync, rename. Summarises first where that has not been done.
    void finish(const std::vector<std::pair<std::string, std::string>>& late = {});

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads a result file in blocks. Throws Error{Slide} with a clear line for foreign, truncated or
/// newer-version files.
class ResultReader {
public:
    explicit ResultReader(const std::string& path);
    ~ResultReader();
    const ResultHeader& header() const;
    bool complete() const;
    uint64_t count() const;
    /// Rows [first, first + n): identity, features and contours (runs are not stored: empty).
    NucleiBatch rows(uint64_t first, uint64_t n) const;
    /// The same with only these features: places in header().schema, in this order.
    NucleiBatch rows(uint64_t first, uint64_t n, std::span<const size_t> columns) const;
    std::vector<std::string> uuids(uint64_t first, uint64_t n) const;
    /// One column of the schema, whole; classes of all nuclei.
    std::vector<float> feature(const std::string& name) const;
    std::vector<uint8_t> classes() const;
    /// A text of /provenance by name, e.g. "model"; empty when there is none.
    std::string provenance(const std::string& name) const;
    /// An attribute of /summary/<group>. Throws Error{Slide} when there is none.
    double summary(const std::string& group, const std::string& name) const;
    /// What /summary says of a column of the schema. Throws Error{Slide} when it says nothing.
    ColumnSummary statistics(const std::string& column) const;
    /// A part of one raster, work frame; out has the size of rect.
    void read(Raster raster, const PixelRect& rect_work, ImageView<uint8_t> out,
              size_t layer = 0) const;
    void read(Raster raster, const PixelRect& rect_work, ImageView<uint32_t> out) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Version-5 UUID of (slide hash, centroid in hundredths of level-0 pixels): the same in every run.
std::string nucleus_uuid(const std::string& slide_hash, double centroid_x_px, double centroid_y_px);

}  // namespace wsi
