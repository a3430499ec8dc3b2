#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "io/atomic_path.h"
#include "io/export_formats.h"
#include "io/hdf5_file.h"
#include "io/overview.h"
#include "io/result_layout.h"

// AnnData's on-disk format (HDF5), with coordinates and picture where squidpy and scanpy look for
// them. Every object names its encoding in attributes.
namespace wsi {

using namespace h5;  // NOLINT: this file is about nothing else

namespace {

constexpr hsize_t kChunkRows = 16384;
constexpr hsize_t kChunkBytes = 1 << 20;
constexpr double kSpotUm = 10;  ///< size of a dot in squidpy's plots
constexpr int64_t kPicturePx = 2000;

void encode(hid_t object, const char* type, const char* version) {
    write_attribute(object, "encoding-type", std::string(type));
    write_attribute(object, "encoding-version", std::string(version));
}

/// What h5py takes for bool.
Id bool_type() {
    Id type(H5Tenum_create(H5T_NATIVE_INT8), &H5Tclose);
    const int8_t no = 0, yes = 1;
    H5Tenum_insert(type.get(), "FALSE", &no);
    H5Tenum_insert(type.get(), "TRUE", &yes);
    return type;
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> out;
    for (const std::string& text : texts) out.push_back(text.c_str());
    return out;
}

void write_text_array(hid_t group, const std::string& name, const std::vector<std::string>& texts) {
    const Id type = text_type(H5T_VARIABLE);
    const hsize_t size = texts.size();
    const Id space(H5Screate_simple(1, &size, nullptr), &H5Sclose);
    const Id data = create_dataset(group, name, type.get(), space);
    if (!texts.empty())
        check(
            H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers(texts).data()),
            "cannot write dataset", name);
    encode(data.get(), "string-array", "0.2.0");
}

void write_list_attribute(hid_t object, const char* name, const std::vector<std::string>& texts) {
    const Id type = text_type(H5T_VARIABLE);
    const hsize_t size = texts.size();
    const Id space(H5Screate_simple(1, &size, nullptr), &H5Sclose);
    const Id attribute(
        check(H5Acreate2(object, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
              "cannot create attribute", name),
        &H5Aclose);
    if (!texts.empty())
        check(H5Awrite(attribute.get(), type.get(), pointers(texts).data()),
              "cannot write attribute", name);
}

Id create_dict(hid_t parent, const std::string& name) {
    Id group = create_group(parent, name);
    encode(group.get(), "dict", "0.1.0");
    return group;
}

Id create_frame(hid_t parent, const char* name, const std::vector<std::string>& columns) {
    Id group = create_group(parent, name);
    encode(group.get(), "dataframe", "0.2.0");
    write_attribute(group.get(), "_index", std::string("_index"));
    write_list_attribute(group.get(), "column-order", columns);
    return group;
}

void write_scalar(hid_t parent, const char* name, double value) {
    const Id space(H5Screate(H5S_SCALAR), &H5Sclose);
    const Id data = create_dataset(parent, name, H5T_NATIVE_DOUBLE, space);
    check(H5Dwrite(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value),
          "cannot write dataset", name);
    encode(data.get(), "numeric-scalar", "0.2.0");
}

/// Codes that grow and a list of categories.
Column create_categories(hid_t frame, const char* name, const std::vector<std::string>& words) {
    const Id group = create_group(frame, name);
    encode(group.get(), "categorical", "0.2.0");
    write_attribute(group.get(), "ordered", uint8_t{0});
    write_text_array(group.get(), "categories", words);
    Column codes(group.get(), "codes", H5T_NATIVE_INT8, 1, kChunkRows, 1);
    encode(codes.id(), "array", "0.2.0");
    return codes;
}

Column create_array(hid_t parent, const std::string& name, hid_t type, hsize_t width = 1,
                    int rank = 1) {
    const hsize_t rows = std::max<hsize_t>(64, std::min(kChunkRows, kChunkBytes / (4 * width)));
    Column column(parent, name, type, width, rows, rank);
    encode(column.id(), "array", "0.2.0");
    return column;
}

std::vector<std::string> obs_columns(const ResultHeader& header) {
    std::vector<std::string> names{"slide", "id", "class"};
    for (const auto& c : layout::kFloatColumns) names.emplace_back(c.name);
    for (const auto& c : layout::kFlagColumns) names.emplace_back(c.name);
    if (header.foreign) names.emplace_back("source");
    return names;
}

/// obs: one row per nucleus, named by its uuid, so that names stay unique when slides are joined.
class Obs {
public:
    Obs(hid_t file, const ExportSource& source)
        : frame_(create_frame(file, "obs", obs_columns(source.header()))),
          index_(frame_.get(), "_index", text_type(H5T_VARIABLE).get(), 1, kChunkRows, 1),
          ids_(create_array(frame_.get(), "id", H5T_NATIVE_UINT32)),
          slides_(create_categories(frame_.get(), "slide", {source.slide_name()})),
          classes_(create_categories(frame_.get(), "class", class_names(source))) {
        encode(index_.id(), "string-array", "0.2.0");
        for (const auto& c : layout::kFloatColumns)
            floats_.push_back(create_array(frame_.get(), c.name, H5T_NATIVE_FLOAT));
        for (const auto& c : layout::kFlagColumns)
            flags_.push_back(create_array(frame_.get(), c.name, bool_type().get()));
        if (source.header().foreign)
            sources_ = create_array(frame_.get(), "source", H5T_NATIVE_UINT32);
        int8_t code = 0;
        codes_.fill(-1);
        for (const NucleusClass& c : source.header().classes) codes_[c.id] = code++;
    }

    void append(const ExportBlock& block) {
        const auto& who = block.rows.identity;
        const size_t n = who.size();
        index_.append(pointers(block.uuids).data(), n);
        append_column<uint32_t>(ids_, n, [&](size_t i) { return block.first + i + 1; });
        append_column<int8_t>(slides_, n, [](size_t) { return 0; });
        append_column<int8_t>(classes_, n, [&](size_t i) { return codes_[who[i].class_id]; });
        for (size_t k = 0; k < floats_.size(); ++k)
            append_column<float>(floats_[k], n,
                                 [&](size_t i) { return who[i].*layout::kFloatColumns[k].member; });
        for (size_t k = 0; k < flags_.size(); ++k)
            append_column<int8_t>(flags_[k], n, [&](size_t i) {
                return (who[i].flags & layout::kFlagColumns[k].flag) != 0;
            });
        if (sources_)
            append_column<uint32_t>(*sources_, n, [&](size_t i) { return who[i].source; });
    }

private:
    static std::vector<std::string> class_names(const ExportSource& source) {
        std::vector<std::string> names;
        for (const NucleusClass& c : source.header().classes) names.push_back(c.name);
        return names;
    }
    template <class T, class Get>
    static void append_column(Column& column, size_t n, Get get) {
        std::vector<T> values(n);
        for (size_t i = 0; i < n; ++i) values[i] = static_cast<T>(get(i));
        column.append(values.data(), n);
    }

    Id frame_;
    Column index_, ids_, slides_, classes_;
    std::vector<Column> floats_, flags_;
    std::optional<Column> sources_;  // of nuclei that another tool found
    std::array<int8_t, 256> codes_;
};

void write_var(hid_t file, const FeatureSchema& schema) {
    const Id frame = create_frame(file, "var", {"unit", "description"});
    std::vector<std::string> names, units, descriptions;
    for (const FeatureColumn& c : schema) {
        names.push_back(c.name);
        units.push_back(c.unit);
        descriptions.push_back(c.description);
    }
    write_text_array(frame.get(), "_index", names);
    write_text_array(frame.get(), "unit", units);
    write_text_array(frame.get(), "description", descriptions);
}

/// uns/spatial/<slide>: a picture and how many of its pixels a level-0 pixel is.
void write_picture(hid_t uns, const ExportSource& source, const Overview& overview) {
    const Id spatial = create_dict(uns, "spatial");
    const Id library = create_dict(spatial.get(), source.slide_name());
    const Id images = create_dict(library.get(), "images");
    const RgbImage picture = overview.image();
    const auto height = static_cast<hsize_t>(picture.height()),
               width = static_cast<hsize_t>(picture.width());
    for (const char* name : {"hires", "lowres"}) {
        const Id data = write_dataset<uint8_t>(
            images.get(), name, {picture.data(), static_cast<size_t>(height * width * 3)},
            {height, width, 3});
        encode(data.get(), "array", "0.2.0");
    }
    const Id factors = create_dict(library.get(), "scalefactors");
    write_scalar(factors.get(), "tissue_hires_scalef", overview.scale());
    write_scalar(factors.get(), "tissue_lowres_scalef", overview.scale());
    write_scalar(factors.get(), "spot_diameter_fullres", kSpotUm / source.header().slide.mpp_x);
    write_scalar(factors.get(), "mpp", source.header().slide.mpp_x);
    create_dict(library.get(), "metadata");
}

void write_uns(hid_t file, const ExportSource& source, const Overview& overview,
               const std::vector<std::string>& nan_columns) {
    const Id uns = create_dict(file, "uns");
    write_picture(uns.get(), source, overview);
    write_text_array(uns.get(), "nan_columns", nan_columns);
    std::vector<std::string> colours;
    for (const NucleusClass& c : source.header().classes) colours.push_back(hex_colour(c));
    write_text_array(uns.get(), "class_colors", colours);  // the name that scanpy looks for
}

/// Streams rows into X, obs and obsm.
std::vector<std::string> write_rows(hid_t file, const ExportSource& source, Overview& overview) {
    const size_t columns = source.schema().size();
    const Id obsm = create_dict(file, "obsm");
    Column spatial = create_array(obsm.get(), "spatial", H5T_NATIVE_DOUBLE, 2, 2);
    std::optional<Column> x;  // AnnData without variables has no X
    if (columns > 0) x = create_array(file, "X", H5T_NATIVE_FLOAT, columns, 2);
    Obs obs(file, source);
    std::vector<bool> undefined(columns, false);
    source.for_each_block([&](const ExportBlock& block) {
        std::vector<double> centres;
        for (size_t i = 0; i < block.rows.size(); ++i) {
            const NucleusIdentity& who = block.rows.identity[i];
            centres.insert(centres.end(), {who.centroid_x_px, who.centroid_y_px});
            overview.add(who);
            for (size_t k = 0; k < columns; ++k)
                if (std::isnan(block.rows.row(i)[k])) undefined[k] = true;
        }
        spatial.append(centres.data(), block.rows.size());
        if (x) x->append(block.rows.features.data(), block.rows.size());
        obs.append(block);
    });
    std::vector<std::string> names;
    for (size_t k = 0; k < columns; ++k)
        if (undefined[k]) names.push_back(source.schema()[k].name);
    return names;
}

}  // namespace

void export_anndata(const ExportSource& source, const std::string& path) {
    set_up();
    AtomicPath target(path);
    Id file = create_file(target.temporary(), path);
    encode(file.get(), "anndata", "0.1.0");
    Overview overview(source.header(), kPicturePx);
    const std::vector<std::string> nan_columns = write_rows(file.get(), source, overview);
    write_var(file.get(), source.schema());
    for (const char* name : {"layers", "obsp", "varm", "varp"}) create_dict(file.get(), name);
    write_uns(file.get(), source, overview, nan_columns);
    check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "cannot write", path);
    file.reset();
    target.commit();
}

}  // namespace wsi
