#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/part_store.h"
#include "pipeline/slide_fit.h"

namespace wsi {

/// Everything that changes results, field by field, so that a mismatch can be named.
struct RunIdentity {
    std::vector<std::pair<std::string, std::string>> fields;

    /// SHA-256 over all fields.
    std::string hash() const;
    /// Name of the first field that differs and both values, or nothing when equal.
    std::optional<std::string> difference(const RunIdentity& other) const;
};

RunIdentity make_identity(const SlideInfo& slide, const Config& config, const InputSpec& spec,
                          const std::string& roi_hash);

/// What an unfinished run remembers: who it is, how it was cut into parts, what it fitted.
struct Journal {
    RunIdentity identity;
    int region_px = 0;  ///< changes the parts on disk, not the results
    SlideFit fit;
};

/// Throws Error{Output} / Error{Slide} for an unreadable journal.
void write_journal(const PartStore& parts, const Journal& journal);
std::optional<Journal> read_journal(const PartStore& parts);

}  // namespace wsi
