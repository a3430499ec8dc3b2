#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "config/version.h"
#include "io/hdf5_file.h"
#include "io/result_layout.h"

namespace wsi {

using namespace h5;  // NOLINT: this file is about nothing else

namespace {

SlideInfo read_slide(hid_t file) {
    const Id group(
        check(H5Gopen2(file, "slide", H5P_DEFAULT), "no group", "slide", ErrorKind::Slide),
        &H5Gclose);
    SlideInfo slide;
    const auto whole = [&](const char* name) {
        return static_cast<int64_t>(read_number_attribute(group.get(), name));
    };
    slide.path = read_text_attribute(group.get(), "path");
    slide.vendor = read_text_attribute(group.get(), "vendor");
    slide.levels = {{{whole("width_px"), whole("height_px")}, 1, {}}};
    slide.mpp_x = read_number_attribute(group.get(), "mpp_x");
    slide.mpp_y = read_number_attribute(group.get(), "mpp_y");
    const std::string source = read_text_attribute(group.get(), "mpp_source");
    for (const MppSource s :
         {MppSource::Override, MppSource::Slide, MppSource::TiffTags, MppSource::ObjectivePower})
        if (source == to_string(s)) slide.mpp_source = s;
    slide.bounds = {whole("bounds_x_px"), whole("bounds_y_px"), whole("bounds_width_px"),
                    whole("bounds_height_px")};
    slide.hash = read_text_attribute(group.get(), "quickhash");
    if (has_attribute(group.get(), "objective_power"))
        slide.objective_power = read_number_attribute(group.get(), "objective_power");
    return slide;
}

WorkFrame read_frame(hid_t file) {
    const Id labels = open_dataset(file, "labels");
    const std::vector<hsize_t> dims = dimensions(labels.get());
    if (dims.size() != 2) fail(ErrorKind::Slide, "/labels is not an image");
    WorkFrame frame;
    frame.size = {static_cast<int64_t>(dims[1]), static_cast<int64_t>(dims[0])};
    frame.downsample = read_number_attribute(labels.get(), "downsample");
    frame.mpp_x = read_number_attribute(labels.get(), "mpp_x");
    frame.mpp_y = read_number_attribute(labels.get(), "mpp_y");
    return frame;
}

void read_stain(hid_t file, ResultHeader& h) {
    const Id group(
        check(H5Gopen2(file, "stain", H5P_DEFAULT), "no group", "stain", ErrorKind::Slide),
        &H5Gclose);
    const auto matrix = read_column<double>(group.get(), "matrix", 0, 2, 3);
    for (size_t s = 0; s < 2; ++s)
        for (size_t k = 0; k < 3; ++k) h.stain_matrix[s][k] = matrix[3 * s + k];
    const auto most = read_column<double>(group.get(), "max_concentration", 0, 2);
    h.stain_max_concentration = {most[0], most[1]};
    h.stain_fitted = read_text_attribute(group.get(), "source") == "fit";
    h.stain_reason = read_text_attribute(group.get(), "reason");
}

void read_tissue(hid_t file, ResultHeader& h) {
    const Id data = open_dataset(file, "tissue");
    const std::vector<hsize_t> dims = dimensions(data.get());
    h.tissue.resize(static_cast<int64_t>(dims.at(1)), static_cast<int64_t>(dims.at(0)));
    check(H5Dread(data.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, h.tissue.data()),
          "cannot read", "tissue", ErrorKind::Slide);
    h.tissue_mpp = read_number_attribute(data.get(), "mpp");
    h.tissue_cell_work_px = read_number_attribute(data.get(), "cell_work_px");
}

std::vector<NucleusClass> read_classes(hid_t file) {
    const Id group(
        check(H5Gopen2(file, "classes", H5P_DEFAULT), "no group", "classes", ErrorKind::Slide),
        &H5Gclose);
    const hsize_t n = dimensions(open_dataset(group.get(), "id").get()).at(0);
    const auto ids = read_column<uint8_t>(group.get(), "id", 0, n);
    const auto colours = read_column<uint8_t>(group.get(), "colour", 0, n, 3);
    const auto names = read_texts(group.get(), "name", 0, n);
    std::vector<NucleusClass> classes;
    for (size_t i = 0; i < n; ++i)
        classes.push_back(
            {ids[i], names[i], {colours[3 * i], colours[3 * i + 1], colours[3 * i + 2]}});
    return classes;
}

std::vector<FailedTile> read_failures(hid_t file) {
    const Id group(check(H5Gopen2(file, "failed_tiles", H5P_DEFAULT), "no group", "failed_tiles",
                         ErrorKind::Slide),
                   &H5Gclose);
    const hsize_t n = dimensions(open_dataset(group.get(), "row").get()).at(0);
    const auto rows = read_column<int64_t>(group.get(), "row", 0, n),
               columns = read_column<int64_t>(group.get(), "column", 0, n),
               levels = read_column<int64_t>(group.get(), "level", 0, n);
    const auto kinds = read_texts(group.get(), "kind", 0, n),
               messages = read_texts(group.get(), "message", 0, n);
    std::vector<FailedTile> out;
    for (size_t i = 0; i < n; ++i)
        out.push_back({rows[i], columns[i], static_cast<int>(levels[i]), kinds[i], messages[i]});
    return out;
}

}  // namespace

struct ResultReader::Impl {
    explicit Impl(const std::string& file_path) : path(file_path) {
        set_up();
        if (!std::filesystem::exists(path)) fail(ErrorKind::Slide, path, ": no such file");
        file = Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose);
        if (!file) {
            take_error();
            fail(ErrorKind::Slide, path, ": not an HDF5 file, or truncated");
        }
        with_context([this] { read_header(); }, path);
    }

    void read_header() {
        if (!has_attribute(file.get(), "format") ||
            read_text_attribute(file.get(), "format") != layout::kFormat)
            fail(ErrorKind::Slide, "not a result of wsi-segment");
        const auto version = static_cast<int>(read_number_attribute(file.get(), "format_version"));
        if (version > kFormatVersion)
            fail(ErrorKind::Slide, "format version ", version, " is newer than ", kFormatVersion,
                 ", which this program reads; use a newer wsi-segment");
        if (!has_attribute(file.get(), "status"))
            fail(ErrorKind::Slide, "the result is unfinished");
        status = read_text_attribute(file.get(), "status");
        header.program_version = read_text_attribute(file.get(), "program_version");
        header.results_version = read_text_attribute(file.get(), "results_version");
        header.identity_hash = read_text_attribute(file.get(), "identity");
        header.frame = read_frame(file.get());
        header.slide = read_slide(file.get());
        read_stain(file.get(), header);
        read_tissue(file.get(), header);
        header.classes = read_classes(file.get());
        header.failed_tiles = read_failures(file.get());
        header.keep_maps = H5Lexists(file.get(), "probability", H5P_DEFAULT) > 0;
        header.has_distance = H5Lexists(file.get(), "distance", H5P_DEFAULT) > 0;
        header.has_class_maps = H5Lexists(file.get(), "class_maps", H5P_DEFAULT) > 0;
        nuclei = Id(check(H5Gopen2(file.get(), "nuclei", H5P_DEFAULT), "no group", "nuclei",
                          ErrorKind::Slide),
                    &H5Gclose);
        contours = Id(check(H5Gopen2(file.get(), "contours", H5P_DEFAULT), "no group", "contours",
                            ErrorKind::Slide),
                      &H5Gclose);
        header.foreign = H5Lexists(nuclei.get(), "source", H5P_DEFAULT) > 0;
        read_schema();
        count = dimensions(open_dataset(nuclei.get(), "id").get()).at(0);
        const Id summary(check(H5Gopen2(file.get(), "summary", H5P_DEFAULT), "no group", "summary",
                               ErrorKind::Slide),
                         &H5Gclose);
        header.tissue_mm2 = read_number_attribute(summary.get(), "tissue_mm2");
    }

    void read_schema() {
        std::istringstream names(read_text_attribute(nuclei.get(), "feature_columns"));
        for (std::string name; std::getline(names, name, ',');) {
            const Id data = open_dataset(nuclei.get(), name);
            header.schema.push_back({name, read_text_attribute(data.get(), "unit"),
                                     read_text_attribute(data.get(), "description")});
        }
    }

    bool has(const char* name) const { return H5Lexists(nuclei.get(), name, H5P_DEFAULT) > 0; }

    template <class T>
    std::vector<T> column(const std::string& name, uint64_t first, uint64_t n) const {
        return read_column<T>(nuclei.get(), name, first, n);
    }

    std::string path, status;
    Id file, nuclei, contours;
    ResultHeader header;
    uint64_t count = 0;
};

ResultReader::ResultReader(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}

ResultReader::~ResultReader() = default;

const ResultHeader& ResultReader::header() const { return impl_->header; }

bool ResultReader::complete() const { return impl_->status.starts_with("complete"); }

uint64_t ResultReader::count() const { return impl_->count; }

NucleiBatch ResultReader::rows(uint64_t first, uint64_t n) const {
    std::vector<size_t> all(impl_->header.schema.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return rows(first, n, all);
}

NucleiBatch ResultReader::rows(uint64_t first, uint64_t n, std::span<const size_t> columns) const {
    const Impl& r = *impl_;
    WSI_CHECK(first + n <= r.count);
    NucleiBatch out;
    out.columns = columns.size();
    out.identity.resize(n);
    const auto x = r.column<double>("centroid_x_px", first, n);
    const auto y = r.column<double>("centroid_y_px", first, n);
    const auto classes = r.column<uint8_t>("class", first, n);
    for (size_t i = 0; i < n; ++i) {
        NucleusIdentity& who = out.identity[i];
        who.centroid_x_px = x[i];
        who.centroid_y_px = y[i];
        who.centroid_x_work = x[i] / r.header.frame.downsample;
        who.centroid_y_work = y[i] / r.header.frame.downsample;
        who.class_id = classes[i];
    }
    if (r.header.foreign) {
        const auto sources = r.column<uint32_t>("source", first, n);
        for (size_t i = 0; i < n; ++i) out.identity[i].source = sources[i];
    }
    for (const auto& c : layout::kFloatColumns) {
        if (!r.has(c.name)) {  // written before there was such a column
            for (NucleusIdentity& who : out.identity) who.*c.member = NAN;
            continue;
        }
        const auto values = r.column<float>(c.name, first, n);
        for (size_t i = 0; i < n; ++i) out.identity[i].*c.member = values[i];
    }
    for (const auto& c : layout::kFlagColumns) {
        if (!r.has(c.name)) continue;
        const auto values = r.column<uint8_t>(c.name, first, n);
        for (size_t i = 0; i < n; ++i)
            if (values[i] != 0) out.identity[i].flags |= c.flag;
    }
    out.features.resize(n * out.columns);
    for (size_t k = 0; k < out.columns; ++k) {
        const auto values = r.column<float>(r.header.schema.at(columns[k]).name, first, n);
        for (size_t i = 0; i < n; ++i) out.features[i * out.columns + k] = values[i];
    }
    out.contour_offsets = read_column<uint64_t>(r.contours.get(), "offsets", first, n + 1);
    const uint64_t base = out.contour_offsets.front();
    const uint64_t points = out.contour_offsets.back() - base;
    out.contour_points.resize(points);
    if (points > 0) {
        const Id data = open_dataset(r.contours.get(), "points");
        read_rows(data.get(), H5T_NATIVE_INT32, base, points, 2, out.contour_points.data(),
                  "points");
    }
    for (uint64_t& offset : out.contour_offsets) offset -= base;
    out.run_offsets.assign(n + 1, 0);
    return out;
}

std::vector<std::string> ResultReader::uuids(uint64_t first, uint64_t n) const {
    return read_texts(impl_->nuclei.get(), "uuid", first, n);
}

std::vector<float> ResultReader::feature(const std::string& name) const {
    return impl_->column<float>(name, 0, impl_->count);
}

std::vector<uint8_t> ResultReader::classes() const {
    return impl_->column<uint8_t>("class", 0, impl_->count);
}

std::string ResultReader::provenance(const std::string& name) const {
    const Id group(H5Gopen2(impl_->file.get(), "provenance", H5P_DEFAULT), &H5Gclose);
    if (!group || H5Lexists(group.get(), name.c_str(), H5P_DEFAULT) <= 0) {
        take_error();
        return "";
    }
    return read_text(group.get(), name);
}

double ResultReader::summary(const std::string& group, const std::string& name) const {
    const Id own = open_group(impl_->file.get(), "summary/" + group);
    return read_number_attribute(own.get(), name);
}

ColumnSummary ResultReader::statistics(const std::string& column) const {
    const Id group = open_group(impl_->file.get(), "summary");
    const hsize_t columns = dimensions(open_dataset(group.get(), layout::kFeature).get()).at(0);
    const auto names = read_texts(group.get(), layout::kFeature, 0, columns);
    const auto at = std::find(names.begin(), names.end(), column);
    if (at == names.end()) fail(ErrorKind::Slide, "/summary knows no column ", column);
    const auto place = static_cast<hsize_t>(at - names.begin());
    const auto value = [&](const char* name) {
        return read_column<double>(group.get(), name, place, 1).front();
    };
    const auto count = read_column<uint64_t>(group.get(), layout::kDefined, place, 1).front();
    return {count,           value("mean"),      value("sd"),      value("quartile1"),
            value("median"), value("quartile3"), value("minimum"), value("maximum")};
}

namespace {
template <class T>
void read_raster(const Id& file, Raster raster, size_t layer, const PixelRect& rect,
                 ImageView<T> out) {
    WSI_CHECK(out.size() == rect.size() && out.stride == out.width);
    const std::string name = layout::raster_name(raster);
    const Id data = open_dataset(file.get(), name);
    const hsize_t start[3] = {layer, static_cast<hsize_t>(rect.y), static_cast<hsize_t>(rect.x)},
                  block[3] = {1, static_cast<hsize_t>(rect.height),
                              static_cast<hsize_t>(rect.width)};
    const int skip = raster == Raster::ClassMaps ? 0 : 1;
    const Id space(H5Dget_space(data.get()), &H5Sclose);
    check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start + skip, nullptr, block + skip,
                              nullptr),
          "cannot select in", name, ErrorKind::Slide);
    const Id memory(H5Screate_simple(2, block + 1, nullptr), &H5Sclose);
    check(H5Dread(data.get(), native_type<T>(), memory.get(), space.get(), H5P_DEFAULT, out.data),
          "cannot read", name, ErrorKind::Slide);
}
}  // namespace

void ResultReader::read(Raster raster, const PixelRect& rect, ImageView<uint8_t> out,
                        size_t layer) const {
    read_raster(impl_->file, raster, layer, rect, out);
}

void ResultReader::read(Raster raster, const PixelRect& rect, ImageView<uint32_t> out) const {
    read_raster(impl_->file, raster, 0, rect, out);
}

}  // namespace wsi
