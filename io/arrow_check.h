#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <utility>

#include "config/error.h"

// Included only by what reads and writes Parquet.
namespace wsi {

/// Throws Error{Internal} with what Arrow says: ends of files are ours to tell.
inline void check_arrow(const arrow::Status& status) {
    if (!status.ok()) fail(ErrorKind::Internal, "Parquet: ", status.ToString());
}

template <class T>
T value_of(arrow::Result<T> result) {
    check_arrow(result.status());
    return std::move(result).ValueUnsafe();
}

}  // namespace wsi
