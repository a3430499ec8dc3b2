#include "io/slides_parquet.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>

#include <cmath>
#include <unordered_map>

#include "io/arrow_check.h"
#include "io/output_file.h"

namespace wsi {

namespace {

/// Columns that grow row by row. One that is met late has nulls before.
class SlidesTable {
public:
    void add(const SlideRow& row) {
        check_arrow(slide_.Append(row.slide));
        check_arrow(status_.Append(row.status));
        add_if(row.finished, nuclei_, row.nuclei);
        add_if(row.finished, tissue_mm2_, row.tissue_mm2);
        add_if(row.finished, density_per_mm2_, row.density_per_mm2);
        add_if(row.finished, failed_blocks_, row.failed_blocks);
        check_arrow(seconds_.Append(row.seconds));
        add_if(!row.message.empty(), message_, row.message);
        for (const SummaryValue& value : row.aggregates) add_aggregate(value);
        ++rows_;
    }

    std::shared_ptr<arrow::Table> finish() {
        put("slide", slide_);
        put("status", status_);
        put("nuclei", nuclei_);
        put("tissue_mm2", tissue_mm2_);
        put("density_per_mm2", density_per_mm2_);
        put("failed_blocks", failed_blocks_);
        put("seconds", seconds_);
        put("message", message_);
        for (const auto& [name, column] : aggregates_) {
            check_arrow(column->AppendNulls(rows_ - column->length()));
            put(name, *column);
        }
        return arrow::Table::Make(arrow::schema(fields_), arrays_);
    }

private:
    template <class Builder, class Value>
    static void add_if(bool known, Builder& column, const Value& value) {
        check_arrow(known ? column.Append(value) : column.AppendNull());
    }

    void add_aggregate(const SummaryValue& value) {
        const auto [at, fresh] = place_.try_emplace(value.name, aggregates_.size());
        if (fresh) aggregates_.emplace_back(value.name, std::make_unique<arrow::DoubleBuilder>());
        arrow::DoubleBuilder& column = *aggregates_[at->second].second;
        check_arrow(column.AppendNulls(rows_ - column.length()));
        add_if(std::isfinite(value.value), column, value.value);
    }

    void put(const std::string& name, arrow::ArrayBuilder& column) {
        arrays_.push_back(value_of(column.Finish()));
        fields_.push_back(arrow::field(name, arrays_.back()->type()));
    }

    arrow::StringBuilder slide_, status_, message_;
    arrow::UInt64Builder nuclei_, failed_blocks_;
    arrow::DoubleBuilder tissue_mm2_, density_per_mm2_, seconds_;
    std::vector<std::pair<std::string, std::unique_ptr<arrow::DoubleBuilder>>> aggregates_;
    std::unordered_map<std::string, size_t> place_;
    int64_t rows_ = 0;
    arrow::FieldVector fields_;
    arrow::ArrayVector arrays_;
};

}  // namespace

void write_slides_parquet(const std::string& path, size_t count,
                          const std::function<SlideRow(size_t)>& row) {
    SlidesTable table;
    for (size_t i = 0; i < count; ++i) table.add(row(i));
    const auto buffer = value_of(arrow::io::BufferOutputStream::Create());
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(parquet::Compression::ZSTD)
                                ->created_by("wsi-segment")
                                ->disable_dictionary()  // few rows, thousands of columns
                                ->disable_statistics()
                                ->build();
    check_arrow(parquet::arrow::WriteTable(*table.finish(), arrow::system_memory_pool(), buffer,
                                           parquet::DEFAULT_MAX_ROW_GROUP_LENGTH, properties));
    const auto bytes = value_of(buffer->Finish());
    OutputFile file(path);
    file.write(bytes->data(), bytes->size());
    file.commit();
}

}  // namespace wsi
