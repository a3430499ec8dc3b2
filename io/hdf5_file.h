#pragma once

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/error.h"

// Thin RAII over HDF5's C API: every call is checked, and HDF5's own error text goes into ours.
// Included only by what reads and writes HDF5.
namespace wsi::h5 {

/// An HDF5 identifier with its close function.
class Id {
public:
    using Close = herr_t (*)(hid_t);
    Id() = default;
    Id(hid_t id, Close close) : id_(id), close_(close) {}
    Id(Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Id& operator=(Id&& other) noexcept {
        reset();
        id_ = std::exchange(other.id_, -1);
        close_ = other.close_;
        return *this;
    }
    ~Id() { reset(); }
    hid_t get() const { return id_; }
    explicit operator bool() const { return id_ >= 0; }
    void reset() {
        if (id_ >= 0) close_(id_);
        id_ = -1;
    }

private:
    hid_t id_ = -1;
    Close close_ = nullptr;
};

/// HDF5's own explanation of the last failure, innermost first; clears it.
std::string take_error();

/// Throws Error{kind} "<what> <name>: <HDF5's reason>" when result < 0.
template <class Result>
Result check(Result result, const char* what, const std::string& name,
             ErrorKind kind = ErrorKind::Output) {
    if (result < 0) fail(kind, what, " ", name, ": ", take_error());
    return result;
}

template <class T>
hid_t native_type();
template <>
inline hid_t native_type<float>() {
    return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t native_type<double>() {
    return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t native_type<uint8_t>() {
    return H5T_NATIVE_UINT8;
}
template <>
inline hid_t native_type<uint32_t>() {
    return H5T_NATIVE_UINT32;
}
template <>
inline hid_t native_type<int32_t>() {
    return H5T_NATIVE_INT32;
}
template <>
inline hid_t native_type<int64_t>() {
    return H5T_NATIVE_INT64;
}
template <>
inline hid_t native_type<uint64_t>() {
    return H5T_NATIVE_UINT64;
}

/// Switches off HDF5's printing to stderr; once.
void set_up();

/// Files, groups and datasets without the time of writing, so that equal results make equal files.
/// `shown`: the name in error messages.
Id create_file(const std::string& path, const std::string& shown);
Id create_group(hid_t parent, const std::string& name);
/// Creation properties to add to, and a dataset made with them or with nothing more.
Id dataset_properties();
Id create_dataset(hid_t parent, const std::string& name, hid_t type, const Id& space,
                  const Id& properties = dataset_properties(), hid_t access = H5P_DEFAULT);
/// Throws Error{Slide} when there is none.
Id open_group(hid_t parent, const std::string& name);
Id text_type(size_t length);

void write_attribute(hid_t object, const std::string& name, const std::string& text);
template <class T>
void write_attribute(hid_t object, const std::string& name, std::span<const T> values) {
    const hsize_t size = values.size();
    const Id space(values.size() == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr),
                   &H5Sclose);
    const Id attribute(check(H5Acreate2(object, name.c_str(), native_type<T>(), space.get(),
                                        H5P_DEFAULT, H5P_DEFAULT),
                             "cannot create attribute", name),
                       &H5Aclose);
    check(H5Awrite(attribute.get(), native_type<T>(), values.data()), "cannot write attribute",
          name);
}
template <class T>
requires std::is_arithmetic_v<T>
void write_attribute(hid_t object, const std::string& name, T value) {
    write_attribute(object, name, std::span<const T>(&value, 1));
}

std::string read_text_attribute(hid_t object, const std::string& name);
double read_number_attribute(hid_t object, const std::string& name);
bool has_attribute(hid_t object, const std::string& name);

/// Fixed dataset of one or two dimensions, written at once.
template <class T>
Id write_dataset(hid_t parent, const std::string& name, std::span<const T> values,
                 std::vector<hsize_t> dims) {
    const Id space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                   &H5Sclose);
    Id data = create_dataset(parent, name, native_type<T>(), space);
    if (!values.empty())
        check(H5Dwrite(data.get(), native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
              "cannot write dataset", name);
    return data;
}
void write_text(hid_t parent, const std::string& name, const std::string& text);
/// What write_text() wrote.
std::string read_text(hid_t parent, const std::string& name);
/// One-dimensional dataset of fixed-length UTF-8 strings.
Id write_texts(hid_t parent, const std::string& name, std::span<const std::string> texts);

/// A one- or two-dimensional dataset that grows along the first axis; shuffle + deflate, no time
/// stamps.
class Column {
public:
    Column(hid_t parent, const std::string& name, hid_t type, hsize_t width, hsize_t chunk_rows)
        : Column(parent, name, type, width, chunk_rows, width == 1 ? 1 : 2) {}
    /// `rank` 1 needs width 1.
    Column(hid_t parent, const std::string& name, hid_t type, hsize_t width, hsize_t chunk_rows,
           int rank);
    void append(const void* rows, hsize_t count);
    hid_t id() const { return data_.get(); }

private:
    std::string name_;
    Id type_, data_;
    hsize_t width_, rows_ = 0;
    int rank_ = 1;
};

Id open_dataset(hid_t parent, const std::string& name);
std::vector<hsize_t> dimensions(hid_t dataset);

/// Rows [first, first + count) of a dataset of `width` columns (1 = one-dimensional).
void read_rows(hid_t dataset, hid_t type, hsize_t first, hsize_t count, hsize_t width, void* out,
               const std::string& name);
template <class T>
std::vector<T> read_column(hid_t parent, const std::string& name, hsize_t first, hsize_t count,
                           hsize_t width = 1) {
    const Id data = open_dataset(parent, name);
    std::vector<T> out(static_cast<size_t>(count * width));
    if (count > 0) read_rows(data.get(), native_type<T>(), first, count, width, out.data(), name);
    return out;
}
std::vector<std::string> read_texts(hid_t parent, const std::string& name, hsize_t first,
                                    hsize_t count);
/// Names of a group's members in creation-independent (alphabetical) order.
std::vector<std::string> member_names(hid_t group);

}  // namespace wsi::h5
