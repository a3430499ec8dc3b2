#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "io/result_store.h"
#include "io/text_file.h"

namespace wsi {

/// A page for people about many results: a row per slide with its picture, counts, density and what
/// to be wary of. Written as a stream: memory grows neither with slides nor with their nuclei. The
/// page stands under its name only after finish().
class BatchPage {
public:
    BatchPage(const std::string& path, const std::string& title);

    /// One slide. `name` is shown; `link` is where it leads to, a path as seen from the page.
    /// Throws Error{Slide} when the result cannot be read, and then adds nothing.
    void add(const ResultReader& result, const std::string& name, const std::string& link,
             const std::function<void(double fraction)>& progress);
    /// A file that could not be read.
    void add_failure(const std::string& name, const std::string& message);
    /// The sums of all. Throws Error{Output}.
    void finish();

private:
    TextFile page_;
    uint64_t slides_ = 0, failures_ = 0, nuclei_ = 0;
    double tissue_mm2_ = 0;
};

}  // namespace wsi
