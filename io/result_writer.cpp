#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "config/version.h"
#include "io/atomic_path.h"
#include "io/packed_column.h"
#include "io/result_layout.h"
#include "io/result_summary.h"

namespace wsi {

using namespace h5;  // NOLINT: this file is about nothing else

namespace {

constexpr hsize_t kChunkRows = 16384;

template <class T, class Row, class Get>
std::vector<T> gather(const std::vector<Row>& rows, Get get) {
    std::vector<T> out(rows.size());
    std::transform(rows.begin(), rows.end(), out.begin(), get);
    return out;
}

void describe(hid_t dataset, const std::string& unit, const std::string& description) {
    write_attribute(dataset, "unit", unit);
    write_attribute(dataset, "description", description);
}

void write_slide(hid_t file, const SlideInfo& slide) {
    const Id group = create_group(file, "slide");
    write_attribute(group.get(), "path", slide.path);
    write_attribute(group.get(), "vendor", slide.vendor);
    write_attribute(group.get(), "width_px", slide.size().width);
    write_attribute(group.get(), "height_px", slide.size().height);
    write_attribute(group.get(), "mpp_x", slide.mpp_x);
    write_attribute(group.get(), "mpp_y", slide.mpp_y);
    write_attribute(group.get(), "mpp_source", std::string(to_string(slide.mpp_source)));
    write_attribute(group.get(), "bounds_x_px", slide.bounds.x);
    write_attribute(group.get(), "bounds_y_px", slide.bounds.y);
    write_attribute(group.get(), "bounds_width_px", slide.bounds.width);
    write_attribute(group.get(), "bounds_height_px", slide.bounds.height);
    write_attribute(group.get(), "quickhash", slide.hash);
    if (slide.objective_power)
        write_attribute(group.get(), "objective_power", *slide.objective_power);
}

void write_stain(hid_t file, const ResultHeader& h) {
    const Id group = create_group(file, "stain");
    const std::vector<double> matrix{h.stain_matrix[0][0], h.stain_matrix[0][1],
                                     h.stain_matrix[0][2], h.stain_matrix[1][0],
                                     h.stain_matrix[1][1], h.stain_matrix[1][2]};
    write_dataset<double>(group.get(), "matrix", matrix, {2, 3});
    write_dataset<double>(group.get(), "max_concentration", h.stain_max_concentration, {2});
    write_dataset<uint8_t>(group.get(), "background_rgb", h.slide.background, {3});
    write_attribute(group.get(), "source", std::string(h.stain_fitted ? "fit" : "reference"));
    write_attribute(group.get(), "reason", h.stain_reason);
}

void write_tissue(hid_t file, const ResultHeader& h) {
    const auto area = static_cast<size_t>(h.tissue.size().area());
    const Id data = write_dataset<uint8_t>(
        file, "tissue", {h.tissue.data(), area},
        {static_cast<hsize_t>(h.tissue.height()), static_cast<hsize_t>(h.tissue.width())});
    write_attribute(data.get(), "mpp", h.tissue_mpp);
    write_attribute(data.get(), "cell_work_px", h.tissue_cell_work_px);
}

void write_classes(hid_t file, const std::vector<NucleusClass>& classes) {
    const Id group = create_group(file, "classes");
    std::vector<uint8_t> ids, colours;
    std::vector<std::string> names;
    for (const NucleusClass& c : classes) {
        ids.push_back(c.id);
        names.push_back(c.name);
        colours.insert(colours.end(), c.rgb, c.rgb + 3);
    }
    write_dataset<uint8_t>(group.get(), "id", ids, {ids.size()});
    write_texts(group.get(), "name", names);
    write_dataset<uint8_t>(group.get(), "colour", colours, {ids.size(), 3});
}

void write_failures(hid_t file, const std::vector<FailedTile>& failures) {
    const Id group = create_group(file, "failed_tiles");
    std::vector<std::string> kinds, messages;
    for (const FailedTile& f : failures) {
        kinds.push_back(f.kind);
        messages.push_back(f.message);
    }
    const hsize_t n = failures.size();
    const auto column = [&](const char* name, auto get) {
        write_dataset<int64_t>(group.get(), name, gather<int64_t>(failures, get), {n});
    };
    column("row", [](const FailedTile& f) { return f.row; });
    column("column", [](const FailedTile& f) { return f.column; });
    column("level", [](const FailedTile& f) { return int64_t{f.level}; });
    write_texts(group.get(), "kind", kinds);
    write_texts(group.get(), "message", messages);
}

/// A raster [H, W], of classes [C, H, W], whose chunks are written raw; chunks that never come are
/// zero.
Id create_raster(hid_t file, Raster raster, const ResultHeader& header) {
    const WorkFrame& frame = header.frame;
    const hsize_t size[3] = {header.classes.size(), static_cast<hsize_t>(frame.size.height),
                             static_cast<hsize_t>(frame.size.width)},
                  chunk[3] = {1, kChunkPx, kChunkPx};
    // Only data sets that could grow may have chunks larger than themselves, as small images need.
    const hsize_t most[3] = {size[0], H5S_UNLIMITED, H5S_UNLIMITED};
    const int skip = raster == Raster::ClassMaps ? 0 : 1;
    const Id space(H5Screate_simple(3 - skip, size + skip, most + skip), &H5Sclose);
    const Id properties = dataset_properties();
    H5Pset_chunk(properties.get(), 3 - skip, chunk + skip);
    H5Pset_shuffle(properties.get());
    H5Pset_deflate(properties.get(), 1);
    const char* name = layout::raster_name(raster);
    const hid_t type = raster == Raster::Labels ? H5T_STD_U32LE : H5T_STD_U8LE;
    Id data = create_dataset(file, name, type, space, properties);
    write_attribute(data.get(), "mpp_x", frame.mpp_x);
    write_attribute(data.get(), "mpp_y", frame.mpp_y);
    write_attribute(data.get(), "downsample", frame.downsample);
    const double origin[2] = {0, 0};
    write_attribute(data.get(), "offset", std::span<const double>(origin));
    return data;
}

}  // namespace

struct ResultWriter::Impl {
    Impl(const std::string& path, const ResultHeader& h) : header(h), target(path) {
        set_up();
        file = create_file(target.temporary(), path);
        write_attribute(file.get(), "format", std::string(layout::kFormat));
        write_attribute(file.get(), "format_version", int64_t{kFormatVersion});
        write_attribute(file.get(), "program_version", h.program_version);
        write_attribute(file.get(), "results_version", h.results_version);
        write_attribute(file.get(), "identity", h.identity_hash);
        write_slide(file.get(), h.slide);
        write_stain(file.get(), h);
        write_tissue(file.get(), h);
        write_classes(file.get(), h.classes);
        write_failures(file.get(), h.failed_tiles);
        const std::pair<Raster, bool> all[] = {
            {Raster::Mask, true},
            {Raster::Labels, true},
            {Raster::Probability, h.keep_maps},
            {Raster::Distance, h.keep_maps && h.has_distance},
            {Raster::ClassMaps, h.keep_maps && h.has_class_maps}};
        for (const auto& [raster, wanted] : all)
            if (wanted) rasters[raster] = create_raster(file.get(), raster, h);
        create_columns();
    }

    void add(const std::string& name, hid_t type, const std::string& unit,
             const std::string& description) {
        PackedColumn column(nuclei.get(), name, type, 1, kChunkRows);
        describe(column.id(), unit, description);
        columns.emplace(name, std::move(column));
    }

    void create_columns() {
        nuclei = create_group(file.get(), "nuclei");
        add("id", H5T_NATIVE_UINT32, "1",
            "rank in the fixed order of cells, from 1; the value in /labels");
        const Id uuid = text_type(36);
        add("uuid", uuid.get(), "1", "version-5 UUID of slide and centroid");
        add("centroid_x_px", H5T_NATIVE_DOUBLE, "px", "mean of the pixel centres, level-0 pixels");
        add("centroid_y_px", H5T_NATIVE_DOUBLE, "px", "mean of the pixel centres, level-0 pixels");
        add("class", H5T_NATIVE_UINT8, "1", "id in /classes");
        if (header.foreign)
            add("source", H5T_NATIVE_UINT32, "1",
                "number in the file that the nuclei came from: the label, else the place from 1");
        for (const auto& c : layout::kFloatColumns)
            add(c.name, H5T_NATIVE_FLOAT, c.unit, c.description);
        for (const auto& c : layout::kFlagColumns)
            add(c.name, H5T_NATIVE_UINT8, "1", c.description);
        std::string features;
        for (const FeatureColumn& c : header.schema) {
            add(c.name, H5T_NATIVE_FLOAT, c.unit, c.description);
            features += (features.empty() ? "" : ",") + c.name;
        }
        write_attribute(nuclei.get(), "feature_columns", features);
        contours = create_group(file.get(), "contours");
        offsets.emplace(contours.get(), "offsets", H5T_NATIVE_UINT64, 1, kChunkRows);
        points.emplace(contours.get(), "points", H5T_NATIVE_INT32, 2, kChunkRows * 4);
        write_attribute(points->id(), "scale", kContourScale);
        describe(points->id(), "px",
                 "x, y of exterior rings, closed implicitly; times `scale` = level-0 pixels");
        describe(offsets->id(), "1", "ring of nucleus i: points [offsets[i], offsets[i + 1])");
        const uint64_t first = 0;
        offsets->append(&first, 1);
    }

    void append(const NucleiBatch& rows) {
        const hsize_t n = rows.size();
        const auto put = [&](const char* name, const auto& values) {
            columns.at(name).append(values.data(), n);
        };
        std::vector<uint32_t> ids(rows.size());
        std::string uuids;
        for (size_t i = 0; i < rows.size(); ++i) {
            ids[i] = next_id++;
            const NucleusIdentity& who = rows.identity[i];
            uuids += nucleus_uuid(header.slide.hash, who.centroid_x_px, who.centroid_y_px);
        }
        put("id", ids);
        put("uuid", uuids);
        put("centroid_x_px",
            gather<double>(rows.identity, [](const auto& r) { return r.centroid_x_px; }));
        put("centroid_y_px",
            gather<double>(rows.identity, [](const auto& r) { return r.centroid_y_px; }));
        put("class", gather<uint8_t>(rows.identity, [](const auto& r) { return r.class_id; }));
        if (header.foreign)
            put("source", gather<uint32_t>(rows.identity, [](const auto& r) { return r.source; }));
        for (const auto& c : layout::kFloatColumns)
            put(c.name, gather<float>(rows.identity, [&](const auto& r) { return r.*c.member; }));
        for (const auto& c : layout::kFlagColumns) {
            const auto flags = gather<uint8_t>(rows.identity, [&](const auto& r) {
                return static_cast<uint8_t>((r.flags & c.flag) != 0);
            });
            put(c.name, flags);
            flagged[c.name] += std::count(flags.begin(), flags.end(), uint8_t{1});
        }
        std::vector<float> values(rows.size());
        for (size_t k = 0; k < rows.columns; ++k) {
            for (size_t i = 0; i < rows.size(); ++i) values[i] = rows.row(i)[k];
            put(header.schema[k].name.c_str(), values);
        }
        std::vector<uint64_t> ends(rows.contour_offsets.begin() + 1, rows.contour_offsets.end());
        for (uint64_t& end : ends) end += point_count;
        offsets->append(ends.data(), n);
        points->append(rows.contour_points.data(), rows.contour_points.size());
        point_count += rows.contour_points.size();
    }

    void write_summary() {
        const Id group = create_group(file.get(), "summary");
        const uint64_t count = next_id - 1;
        write_attribute(group.get(), "count", count);
        write_attribute(group.get(), "tissue_mm2", header.tissue_mm2);
        write_attribute(
            group.get(), "density_per_mm2",
            header.tissue_mm2 > 0 ? static_cast<double>(count) / header.tissue_mm2 : 0.0);
        std::vector<std::string> names;
        std::array<std::vector<double>, layout::kStatistics.size()> statistics;
        std::vector<uint64_t> counts;
        for (const FeatureColumn& c : header.schema) {
            const ColumnSummary s = summarise_column(passes_over(c.name, count));
            names.push_back(c.name);
            counts.push_back(s.count);
            size_t k = 0;
            for (const double v :
                 {s.mean, s.sd, s.least, s.quartile1, s.median, s.quartile3, s.most})
                statistics[k++].push_back(v);
        }
        write_texts(group.get(), layout::kFeature, names);
        write_dataset<uint64_t>(group.get(), layout::kDefined, counts, {counts.size()});
        for (size_t k = 0; k < statistics.size(); ++k)
            write_dataset<double>(group.get(), layout::kStatistics[k], statistics[k],
                                  {statistics[k].size()});
        const Id flags = create_group(group.get(), "flags");
        for (const auto& c : layout::kFlagColumns)
            write_attribute(flags.get(), c.name, static_cast<double>(flagged[c.name]));
        for (const auto& [name, values] : groups) {
            const Id own = create_group(group.get(), name.c_str());
            for (const SummaryValue& v : values) write_attribute(own.get(), v.name, v.value);
        }
    }

    /// A column that fits one block is read and inflated once, whatever the number of passes.
    ColumnPasses passes_over(const std::string& name, uint64_t count) {
        static constexpr uint64_t kBlock = 1 << 22;  // 16 MiB
        const auto read = [this, name](uint64_t first, uint64_t rows) {
            summary_block.resize(rows);
            read_rows(columns.at(name).id(), H5T_NATIVE_FLOAT, first, rows, 1, summary_block.data(),
                      name);
        };
        if (count > 0 && count <= kBlock) read(0, count);
        return [this, read, count](const std::function<void(std::span<const float>)>& use) {
            if (count > 0 && count <= kBlock) return use(summary_block);
            for (uint64_t first = 0; first < count; first += kBlock) {
                read(first, std::min(kBlock, count - first));
                use(summary_block);
            }
        };
    }

    void close_all() {
        columns.clear();
        offsets.reset();
        points.reset();
        rasters.clear();
        nuclei.reset();
        contours.reset();
    }

    const ResultHeader header;
    AtomicPath target;
    Id file, nuclei, contours;
    std::map<Raster, Id> rasters;
    std::map<std::string, PackedColumn> columns;
    std::optional<PackedColumn> offsets, points;
    std::vector<std::pair<std::string, std::vector<SummaryValue>>> groups;  // of /summary
    std::map<std::string, int64_t> flagged;                                 // nuclei with each flag
    std::vector<float> summary_block;
    uint32_t next_id = 1;
    uint64_t point_count = 0;
    bool summarised = false;
};

ResultWriter::ResultWriter(const std::string& path, const ResultHeader& header)
    : impl_(std::make_unique<Impl>(path, header)) {}

ResultWriter::~ResultWriter() = default;

void ResultWriter::append(const NucleiBatch& rows) { impl_->append(rows); }

void ResultWriter::append_column(size_t column, std::span<const float> values) {
    impl_->columns.at(impl_->header.schema.at(column).name).append(values.data(), values.size());
}

void ResultWriter::add_summary(const std::string& group, const std::vector<SummaryValue>& values) {
    impl_->groups.emplace_back(group, values);
}

void ResultWriter::write_chunk(Raster raster, int64_t chunk_row, int64_t chunk_column,
                               std::span<const uint8_t> compressed, size_t layer) {
    const hsize_t at[3] = {layer, static_cast<hsize_t>(chunk_row * kChunkPx),
                           static_cast<hsize_t>(chunk_column * kChunkPx)};
    check(H5Dwrite_chunk(impl_->rasters.at(raster).get(), H5P_DEFAULT, 0,
                         raster == Raster::ClassMaps ? at : at + 1, compressed.size(),
                         compressed.data()),
          "cannot write into", impl_->target.path());
}

void ResultWriter::summarise() {
    for (auto& [name, column] : impl_->columns) column.flush();
    impl_->offsets->flush();
    impl_->points->flush();
    impl_->write_summary();
    impl_->summarised = true;
}

void ResultWriter::finish(const std::vector<std::pair<std::string, std::string>>& late) {
    Impl& r = *impl_;
    if (!r.summarised) summarise();
    {
        const Id group = create_group(r.file.get(), "provenance");
        std::map<std::string, std::string> texts(late.begin(), late.end());
        texts.insert(r.header.provenance.begin(), r.header.provenance.end());
        for (const auto& [name, text] : texts) write_text(group.get(), name, text);
    }
    write_attribute(
        r.file.get(), "status",
        std::string(r.header.failed_tiles.empty() ? "complete" : "complete_with_failures"));
    r.close_all();
    check(H5Fflush(r.file.get(), H5F_SCOPE_GLOBAL), "cannot write", r.target.path());
    r.file.reset();
    r.target.commit();
}

}  // namespace wsi
