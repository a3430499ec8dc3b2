#pragma once

#include <cstddef>
#include <string>

#include "config/error.h"

namespace wsi {

/// Images of a data set that cannot be read: each is named and left out, until they are more than
/// one in a hundred, or all.
class UnreadableImages {
public:
    explicit UnreadableImages(size_t total) : total_(total) {}
    /// Throws Error{Config} when it is one too many.
    void add(const Error& error);
    /// Says how many were left out; throws Error{Config} when nothing is left.
    void report() const;

private:
    const size_t total_;
    size_t failed_ = 0;
    std::string last_;
};

}  // namespace wsi
