#include "io/hdf5_file.h"

#include <algorithm>
#include <memory>
#include <mutex>

namespace wsi::h5 {

std::string take_error() {
    std::string text;
    H5Ewalk2(
        H5E_DEFAULT, H5E_WALK_UPWARD,
        [](unsigned n, const H5E_error2_t* error, void* out) -> herr_t {
            if (n < 2 && error->desc != nullptr) {
                auto& into = *static_cast<std::string*>(out);
                into += (into.empty() ? "" : "; ") + std::string(error->desc);
            }
            return 0;
        },
        &text);
    H5Eclear2(H5E_DEFAULT);
    std::erase(text, '\n');  // of a time stamp in the middle
    return text.empty() ? "unknown HDF5 error" : text;
}

void set_up() {
    static std::once_flag once;
    std::call_once(once, [] {
        // At exit HDF5 would write again what a full disk refused, and crash; every file is closed
        // by its owner.
        H5dont_atexit();
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    });
}

Id create_file(const std::string& path, const std::string& shown) {
    const Id access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose);
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V110);
    const Id properties(H5Pcreate(H5P_FILE_CREATE), &H5Pclose);
    H5Pset_obj_track_times(properties.get(), false);  // of the root group
    return {check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties.get(), access.get()),
                  "cannot create", shown),
            &H5Fclose};
}

Id create_group(hid_t parent, const std::string& name) {
    const Id properties(H5Pcreate(H5P_GROUP_CREATE), &H5Pclose);
    H5Pset_obj_track_times(properties.get(), false);
    return {check(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                  "cannot create group", name),
            &H5Gclose};
}

Id dataset_properties() {
    Id properties(H5Pcreate(H5P_DATASET_CREATE), &H5Pclose);
    H5Pset_obj_track_times(properties.get(), false);
    return properties;
}

Id create_dataset(hid_t parent, const std::string& name, hid_t type, const Id& space,
                  const Id& properties, hid_t access) {
    return {check(H5Dcreate2(parent, name.c_str(), type, space.get(), H5P_DEFAULT, properties.get(),
                             access),
                  "cannot create dataset", name),
            &H5Dclose};
}

Id open_group(hid_t parent, const std::string& name) {
    return {check(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), "no group", name, ErrorKind::Slide),
            &H5Gclose};
}

Id text_type(size_t length) {
    Id type(H5Tcopy(H5T_C_S1), &H5Tclose);
    H5Tset_size(type.get(), std::max<size_t>(1, length));
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    H5Tset_strpad(type.get(), length == H5T_VARIABLE ? H5T_STR_NULLTERM : H5T_STR_NULLPAD);
    return type;
}

void write_attribute(hid_t object, const std::string& name, const std::string& text) {
    // Of variable length: h5py gives these as str, those of fixed length as bytes.
    const Id type = text_type(H5T_VARIABLE);
    const Id space(H5Screate(H5S_SCALAR), &H5Sclose);
    const Id attribute(
        check(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
              "cannot create attribute", name),
        &H5Aclose);
    const char* const characters = text.c_str();
    check(H5Awrite(attribute.get(), type.get(), &characters), "cannot write attribute", name);
}

bool has_attribute(hid_t object, const std::string& name) {
    return H5Aexists(object, name.c_str()) > 0;
}

std::string read_text_attribute(hid_t object, const std::string& name) {
    const Id attribute(
        check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "no attribute", name, ErrorKind::Slide),
        &H5Aclose);
    const Id type(H5Aget_type(attribute.get()), &H5Tclose);
    if (H5Tis_variable_str(type.get()) > 0) {
        char* characters = nullptr;
        check(H5Aread(attribute.get(), type.get(), &characters), "cannot read attribute", name,
              ErrorKind::Slide);
        const std::unique_ptr<char, herr_t (*)(void*)> owner(
            characters, [](void* memory) { return H5free_memory(memory); });
        return characters ? characters : "";
    }
    std::string text(H5Tget_size(type.get()), '\0');
    check(H5Aread(attribute.get(), type.get(), text.data()), "cannot read attribute", name,
          ErrorKind::Slide);
    while (!text.empty() && text.back() == '\0') text.pop_back();
    return text;
}

double read_number_attribute(hid_t object, const std::string& name) {
    const Id attribute(
        check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "no attribute", name, ErrorKind::Slide),
        &H5Aclose);
    double value = 0;
    check(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value), "cannot read attribute", name,
          ErrorKind::Slide);
    return value;
}

void write_text(hid_t parent, const std::string& name, const std::string& text) {
    const Id type = text_type(text.size());
    const Id space(H5Screate(H5S_SCALAR), &H5Sclose);
    const Id data = create_dataset(parent, name, type.get(), space);
    const std::string padded = text.empty() ? std::string(1, '\0') : text;
    check(H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()),
          "cannot write dataset", name);
}

std::string read_text(hid_t parent, const std::string& name) {
    const Id data = open_dataset(parent, name);
    const Id type(H5Dget_type(data.get()), &H5Tclose);
    std::string text(H5Tget_size(type.get()), '\0');
    check(H5Dread(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()),
          "cannot read", name, ErrorKind::Slide);
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

Id write_texts(hid_t parent, const std::string& name, std::span<const std::string> texts) {
    size_t length = 1;
    for (const std::string& text : texts) length = std::max(length, text.size());
    std::string bytes;
    for (std::string text : texts) {
        text.resize(length, '\0');
        bytes += text;
    }
    const Id type = text_type(length);
    const hsize_t size = texts.size();
    const Id space(H5Screate_simple(1, &size, nullptr), &H5Sclose);
    Id data = create_dataset(parent, name, type.get(), space);
    if (!texts.empty())
        check(H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
              "cannot write dataset", name);
    return data;
}

Column::Column(hid_t parent, const std::string& name, hid_t type, hsize_t width, hsize_t chunk_rows,
               int rank)
    : name_(name), type_(H5Tcopy(type), &H5Tclose), width_(width), rank_(rank) {
    const hsize_t size[2] = {0, width}, most[2] = {H5S_UNLIMITED, width},
                  chunk[2] = {chunk_rows, width};
    const Id space(H5Screate_simple(rank, size, most), &H5Sclose);
    const Id properties = dataset_properties();
    H5Pset_chunk(properties.get(), rank, chunk);
    H5Pset_shuffle(properties.get());
    H5Pset_deflate(properties.get(), 2);
    // Rows come one after the other, so only the chunk being filled is ever needed again. HDF5's
    // own default, 1 MiB for each of some hundred columns, would fill up on large slides only.
    const Id access(H5Pcreate(H5P_DATASET_ACCESS), &H5Pclose);
    H5Pset_chunk_cache(access.get(), 1, chunk_rows * width * H5Tget_size(type_.get()), 1);
    data_ = create_dataset(parent, name, type_.get(), space, properties, access.get());
}

void Column::append(const void* rows, hsize_t count) {
    if (count == 0) return;
    const hsize_t size[2] = {rows_ + count, width_}, start[2] = {rows_, 0},
                  block[2] = {count, width_};
    check(H5Dset_extent(data_.get(), size), "cannot grow dataset", name_);
    const Id file(H5Dget_space(data_.get()), &H5Sclose);
    check(H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, start, nullptr, block, nullptr),
          "cannot select in", name_);
    const Id memory(H5Screate_simple(rank_, block, nullptr), &H5Sclose);
    check(H5Dwrite(data_.get(), type_.get(), memory.get(), file.get(), H5P_DEFAULT, rows),
          "cannot write dataset", name_);
    rows_ += count;
}

Id open_dataset(hid_t parent, const std::string& name) {
    return {
        check(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), "no dataset", name, ErrorKind::Slide),
        &H5Dclose};
}

std::vector<hsize_t> dimensions(hid_t dataset) {
    const Id space(H5Dget_space(dataset), &H5Sclose);
    std::vector<hsize_t> dims(
        static_cast<size_t>(std::max(0, H5Sget_simple_extent_ndims(space.get()))));
    H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
    return dims;
}

void read_rows(hid_t dataset, hid_t type, hsize_t first, hsize_t count, hsize_t width, void* out,
               const std::string& name) {
    const int rank = width == 1 ? 1 : 2;
    const hsize_t start[2] = {first, 0}, block[2] = {count, width};
    const Id file(H5Dget_space(dataset), &H5Sclose);
    check(H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, start, nullptr, block, nullptr),
          "cannot select in", name, ErrorKind::Slide);
    const Id memory(H5Screate_simple(rank, block, nullptr), &H5Sclose);
    check(H5Dread(dataset, type, memory.get(), file.get(), H5P_DEFAULT, out), "cannot read", name,
          ErrorKind::Slide);
}

std::vector<std::string> read_texts(hid_t parent, const std::string& name, hsize_t first,
                                    hsize_t count) {
    const Id data = open_dataset(parent, name);
    const Id type(H5Dget_type(data.get()), &H5Tclose);
    const size_t length = H5Tget_size(type.get());
    std::string bytes(length * static_cast<size_t>(count), '\0');
    if (count > 0) read_rows(data.get(), type.get(), first, count, 1, bytes.data(), name);
    std::vector<std::string> texts;
    for (size_t i = 0; i < count; ++i) {
        std::string text = bytes.substr(i * length, length);
        while (!text.empty() && text.back() == '\0') text.pop_back();
        texts.push_back(std::move(text));
    }
    return texts;
}

std::vector<std::string> member_names(hid_t group) {
    std::vector<std::string> names;
    H5Literate(
        group, H5_INDEX_NAME, H5_ITER_INC, nullptr,
        [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
            static_cast<std::vector<std::string>*>(out)->emplace_back(name);
            return 0;
        },
        &names);
    return names;
}

}  // namespace wsi::h5
