#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "config/error.h"
#include "io/weights_file.h"

namespace wsi::fuzz {

/// What every reader of weights promises of any bytes: Error{Checkpoint} with a one-line message,
/// or tensors that are sorted, named once and lie inside the file to their last element.
template <class Reader>
void check_weights(std::span<const std::byte> file, Reader&& read) {
    try {
        const WeightsIndex index = read(file);
        for (size_t i = 0; i < index.tensors.size(); ++i) {
            const TensorInfo& t = index.tensors[i];
            WSI_CHECK(i == 0 || index.tensors[i - 1].name < t.name);
            WSI_CHECK(t.shape.size() == t.strides.size());
            if (elements(t) == 0) continue;
            unsigned __int128 last = 0;
            for (size_t d = 0; d < t.shape.size(); ++d)
                last += static_cast<unsigned __int128>(t.shape[d] - 1) *
                        static_cast<unsigned __int128>(t.strides[d]);
            WSI_CHECK(t.offset + (last + 1) * bytes_per_element(t.dtype) <= file.size(), t.name);
            WSI_CHECK(static_cast<uint64_t>(elements(t)) <= file.size(), t.name);
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Checkpoint) throw;
        const std::string_view message = error.what();
        WSI_CHECK(message.size() < 2000 &&
                  std::ranges::all_of(message, [](char c) { return c >= 0x20 && c < 0x7f; }));
    }
}

}  // namespace wsi::fuzz
