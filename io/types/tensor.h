#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsi {

/// Element types that weights files may hold.
enum class DType : uint8_t { F64, F32, F16, BF16, I64, I32, I16, I8, U8, Bool };

namespace detail {
struct DTypeRow {
    std::string_view name;  ///< as safetensors spells it
    size_t bytes;
};
inline constexpr std::array<DTypeRow, 10> kDTypes{{{"F64", 8},
                                                   {"F32", 4},
                                                   {"F16", 2},
                                                   {"BF16", 2},
                                                   {"I64", 8},
                                                   {"I32", 4},
                                                   {"I16", 2},
                                                   {"I8", 1},
                                                   {"U8", 1},
                                                   {"BOOL", 1}}};
}  // namespace detail

constexpr size_t bytes_per_element(DType t) {
    return detail::kDTypes[static_cast<size_t>(t)].bytes;
}
constexpr std::string_view dtype_name(DType t) {
    return detail::kDTypes[static_cast<size_t>(t)].name;
}
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
    for (size_t i = 0; i < detail::kDTypes.size(); ++i)
        if (detail::kDTypes[i].name == name) return static_cast<DType>(i);
    return std::nullopt;
}

/// Where one tensor lies in a weights file. Made by a reader, which has checked every number: sizes
/// and strides are not negative, there are no more elements than the file has room for, and the
/// first and last element lie inside the file.
struct TensorInfo {
    std::string name;
    DType dtype = DType::F32;
    std::vector<int64_t> shape;    ///< outermost first; empty for a scalar
    std::vector<int64_t> strides;  ///< in elements, one per entry of shape
    uint64_t offset = 0;           ///< of the first element, in bytes from the start of the file
};

/// The product of the shape, 1 for a scalar; nothing when an entry is negative or it overflows.
inline std::optional<int64_t> checked_elements(const std::vector<int64_t>& shape) {
    int64_t product = 1;
    bool empty = false, overflow = false;
    for (const int64_t size : shape) {
        if (size < 0) return std::nullopt;
        empty = empty || size == 0;
        overflow = __builtin_mul_overflow(product, size == 0 ? 1 : size, &product) || overflow;
    }
    if (overflow) return std::nullopt;
    return empty ? 0 : product;
}

/// Strides of a row-major tensor; the shape must have passed checked_elements().
inline std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape) {
    std::vector<int64_t> strides(shape.size());
    int64_t step = 1;
    for (size_t d = shape.size(); d-- > 0; step *= shape[d] == 0 ? 1 : shape[d]) strides[d] = step;
    return strides;
}

inline int64_t elements(const TensorInfo& tensor) {
    return checked_elements(tensor.shape).value_or(0);
}

/// Are the elements one after another, in row-major order? Strides of dimensions of size 1 do not
/// count.
inline bool is_contiguous(const TensorInfo& tensor) {
    const std::vector<int64_t> wanted = row_major_strides(tensor.shape);
    if (elements(tensor) == 0) return true;
    for (size_t d = 0; d < wanted.size(); ++d)
        if (tensor.shape[d] != 1 && tensor.strides[d] != wanted[d]) return false;
    return true;
}

}  // namespace wsi
