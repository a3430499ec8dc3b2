#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/arrow_check.h"
#include "io/export_formats.h"
#include "io/output_file.h"
#include "io/result_layout.h"
#include "io/wkb.h"

// GeoParquet 1.1. Rows are in id order, which is a spatial order (512-px cells, row by row), so
// that the boxes of row groups let a reader skip most of a file.
namespace wsi {

namespace {

constexpr int64_t kGroupRows = 65536;

/// The file as Arrow writes it.
class ArrowFile final : public arrow::io::OutputStream {
public:
    explicit ArrowFile(OutputFile& file) : file_(file) {}
    arrow::Status Write(const void* data, int64_t bytes) override {
        file_.write(data, bytes);
        position_ += bytes;
        return file_.failed() ? arrow::Status::IOError("write") : arrow::Status::OK();
    }
    arrow::Status Close() override {
        closed_ = true;
        return arrow::Status::OK();
    }
    arrow::Result<int64_t> Tell() const override { return position_; }
    bool closed() const override { return closed_; }

    void check(const arrow::Status& status) const {
        file_.check();  // what the file says comes first
        check_arrow(status);
    }

private:
    OutputFile& file_;
    int64_t position_ = 0;
    bool closed_ = false;
};

std::shared_ptr<arrow::Field> described(const std::string& name,
                                        std::shared_ptr<arrow::DataType> type,
                                        const std::string& unit, const std::string& description) {
    return arrow::field(name, std::move(type), true,
                        arrow::key_value_metadata({{"unit", unit}, {"description", description}}));
}

std::shared_ptr<arrow::DataType> box_type() {
    arrow::FieldVector sides;
    for (const char* side : {"xmin", "ymin", "xmax", "ymax"})
        sides.push_back(arrow::field(side, arrow::float64(), false));
    return arrow::struct_(sides);
}

std::string geo_metadata() {
    nlohmann::ordered_json geometry{{"encoding", "WKB"},
                                    {"geometry_types", {"Polygon"}},
                                    {"crs", nullptr},
                                    {"edges", "planar"}};
    for (const char* side : {"xmin", "ymin", "xmax", "ymax"})
        geometry["covering"]["bbox"][side] = {"bbox", side};
    return nlohmann::ordered_json{
        {"version", "1.1.0"}, {"primary_column", "geometry"}, {"columns", {{"geometry", geometry}}}}
        .dump();
}

std::shared_ptr<arrow::Schema> schema_of(const ExportSource& source) {
    const auto words = arrow::dictionary(arrow::int32(), arrow::utf8());
    arrow::FieldVector fields{described("id", arrow::uint32(), "1", "1 .. N, the value in /labels"),
                              described("uuid", arrow::utf8(), "1", "the same in every run"),
                              described("slide", words, "1", "file name of the slide"),
                              described("centroid_x_px", arrow::float64(), "px", "level-0 pixels"),
                              described("centroid_y_px", arrow::float64(), "px", "level-0 pixels"),
                              described("class", words, "1", "name of the class")};
    for (const auto& c : layout::kFloatColumns)
        if (!layout::is_box(c))
            fields.push_back(described(c.name, arrow::float32(), c.unit, c.description));
    for (const auto& c : layout::kFlagColumns)
        fields.push_back(described(c.name, arrow::boolean(), "1", c.description));
    if (source.header().foreign)
        fields.push_back(described("source", arrow::uint32(), "1",
                                   "number in the file that the nuclei came from"));
    for (const FeatureColumn& c : source.schema())
        fields.push_back(described(c.name, arrow::float32(), c.unit, c.description));
    fields.push_back(described("bbox", box_type(), "px", "box of the geometry, level-0 pixels"));
    fields.push_back(described("geometry", arrow::binary(), "px",
                               "outline as WKB, level-0 pixels, origin top left, y downward"));
    const std::string slide =
        source.slide_record("level-0 pixels, origin top left, y downward, pixel centres at .5");
    // In the schema itself: pyarrow shows the schema's metadata, not the file's.
    return arrow::schema(
        fields, arrow::key_value_metadata({{"geo", geo_metadata()}, {"wsi-segment", slide}}));
}

/// xmin, ymin, xmax, ymax in level-0 pixels.
std::array<double, 4> box_of(std::span<const ContourPoint> ring) {
    ContourPoint low = ring.front(), high = low;
    for (const ContourPoint& p : ring) {
        low = {std::min(low.x, p.x), std::min(low.y, p.y)};
        high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
    return {low.x / 100.0, low.y / 100.0, high.x / 100.0, high.y / 100.0};
}

/// Columns of one block in the order of the schema.
class BlockColumns {
public:
    BlockColumns(const ArrowFile& file, const ExportBlock& block) : file_(file), block_(block) {}

    template <class Builder, class Get>
    void add(Builder builder, Get get) {
        file_.check(builder.Reserve(static_cast<int64_t>(block_.rows.size())));
        for (size_t i = 0; i < block_.rows.size(); ++i) file_.check(builder.Append(get(i)));
        finish(builder);
    }
    /// NaN = undefined = null, which DuckDB's and pandas' means leave out.
    template <class Get>
    void add_float(Get get) {
        arrow::FloatBuilder builder;
        file_.check(builder.Reserve(static_cast<int64_t>(block_.rows.size())));
        for (size_t i = 0; i < block_.rows.size(); ++i) {
            const float value = get(i);
            if (std::isnan(value))
                builder.UnsafeAppendNull();
            else
                builder.UnsafeAppend(value);
        }
        finish(builder);
    }
    /// Text that comes from a short list.
    template <class Get>
    void add_words(const std::vector<std::string>& list, Get place) {
        arrow::StringBuilder words;
        for (const std::string& word : list) file_.check(words.Append(word));
        arrow::Int32Builder places;
        for (size_t i = 0; i < block_.rows.size(); ++i)
            file_.check(places.Append(static_cast<int32_t>(place(i))));
        std::shared_ptr<arrow::Array> indices, dictionary;
        file_.check(words.Finish(&dictionary));
        file_.check(places.Finish(&indices));
        const auto array = arrow::DictionaryArray::FromArrays(
            arrow::dictionary(arrow::int32(), arrow::utf8()), indices, dictionary);
        file_.check(array.status());
        arrays.push_back(*array);
    }
    void add_boxes() {
        std::array<arrow::DoubleBuilder, 4> sides;
        for (size_t i = 0; i < block_.rows.size(); ++i) {
            const std::array<double, 4> box = box_of(block_.rows.contour(i));
            for (size_t k = 0; k < 4; ++k) file_.check(sides[k].Append(box[k]));
        }
        arrow::ArrayVector children(4);
        for (size_t k = 0; k < 4; ++k) file_.check(sides[k].Finish(&children[k]));
        arrays.push_back(std::make_shared<arrow::StructArray>(
            box_type(), static_cast<int64_t>(block_.rows.size()), children));
    }
    void add_outlines() {
        std::string wkb;
        add(arrow::BinaryBuilder(), [&](size_t i) -> const std::string& {
            wkb.clear();
            append_wkb(wkb, block_.rows.contour(i));
            return wkb;
        });
    }

    arrow::ArrayVector arrays;

private:
    template <class Builder>
    void finish(Builder& builder) {
        std::shared_ptr<arrow::Array> array;
        file_.check(builder.Finish(&array));
        arrays.push_back(array);
    }
    const ArrowFile& file_;
    const ExportBlock& block_;
};

std::shared_ptr<arrow::RecordBatch> batch_of(const ExportSource& source, const ArrowFile& file,
                                             const ExportBlock& block,
                                             const std::shared_ptr<arrow::Schema>& schema) {
    const NucleiBatch& rows = block.rows;
    const auto& who = rows.identity;
    std::vector<std::string> classes(256);
    for (size_t id = 0; id < classes.size(); ++id)
        classes[id] = source.class_of(static_cast<uint8_t>(id)).name;
    BlockColumns columns(file, block);
    columns.add(arrow::UInt32Builder(),
                [&](size_t i) { return static_cast<uint32_t>(block.first + i + 1); });
    columns.add(arrow::StringBuilder(),
                [&](size_t i) -> const std::string& { return block.uuids[i]; });
    columns.add_words({source.slide_name()}, [](size_t) { return 0; });
    columns.add(arrow::DoubleBuilder(), [&](size_t i) { return who[i].centroid_x_px; });
    columns.add(arrow::DoubleBuilder(), [&](size_t i) { return who[i].centroid_y_px; });
    columns.add_words(classes, [&](size_t i) { return who[i].class_id; });
    for (const auto& c : layout::kFloatColumns)
        if (!layout::is_box(c)) columns.add_float([&](size_t i) { return who[i].*c.member; });
    for (const auto& c : layout::kFlagColumns)
        columns.add(arrow::BooleanBuilder(),
                    [&](size_t i) { return (who[i].flags & c.flag) != 0; });
    if (source.header().foreign)
        columns.add(arrow::UInt32Builder(), [&](size_t i) { return who[i].source; });
    for (size_t k = 0; k < rows.columns; ++k)
        columns.add_float([&](size_t i) { return rows.row(i)[k]; });
    columns.add_boxes();
    columns.add_outlines();
    return arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows.size()), columns.arrays);
}

}  // namespace

void export_parquet(const ExportSource& source, const std::string& path) {
    OutputFile output(path);
    const auto file = std::make_shared<ArrowFile>(output);
    const auto schema = schema_of(source);
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)
        ->compression_level(1)
        ->created_by("wsi-segment")
        ->max_row_group_length(kGroupRows)
        ->disable_dictionary()
        ->enable_dictionary("slide")
        ->enable_dictionary("class");
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    auto opened = parquet::arrow::FileWriter::Open(*schema, arrow::system_memory_pool(), file,
                                                   properties.build(), arrow_properties);
    file->check(opened.status());
    const std::unique_ptr<parquet::arrow::FileWriter> writer = std::move(*opened);
    source.for_each_block([&](const ExportBlock& block) {
        file->check(writer->WriteRecordBatch(*batch_of(source, *file, block, schema)));
    });
    file->check(writer->Close());
    output.commit();
}

}  // namespace wsi
