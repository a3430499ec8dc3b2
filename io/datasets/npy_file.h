#pragma once

#include <string>
#include <vector>

#include "io/datasets/bytes.h"
#include "io/mapped_file.h"

namespace wsi {

/// A NumPy array on disk (.npy 1.0 to 3.0, C order, little-endian), mapped, not loaded: data sets
/// of gigabytes cost what is read. Integers, floats and fixed-length text ("<U13").
class NpyFile {
public:
    /// Throws Error{Config} for anything else.
    explicit NpyFile(const std::string& path);

    const std::vector<size_t>& shape() const { return shape_; }
    const std::string& path() const { return bytes_.path(); }
    /// Element in C order as a number or as text (ASCII).
    double number(size_t index) const;
    std::string text(size_t index) const;
    /// Throws Error{Config} unless the shape is this; 0 = any.
    void expect_shape(const std::vector<size_t>& expected) const;

private:
    void read_header(const std::string& header);
    MappedFile file_;
    Bytes bytes_;
    size_t start_ = 0, item_ = 0;
    char kind_ = 'u';  ///< 'b', 'i', 'u', 'f' or 'U', as in NumPy
    std::vector<size_t> shape_;
};

}  // namespace wsi
