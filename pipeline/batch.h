#pragma once

#include <string>
#include <vector>

#include "pipeline/commands.h"

namespace wsi {

/// One slide of a batch and what a list said about it.
struct BatchSlide {
    std::string path;
    std::string relative;  ///< below the input folder it was found in; decides the output's place
    std::string mask, roi, model;  ///< empty = what the command line says
    double slide_mpp = 0;
};

struct Shard {
    int index = 0, count = 1;
    /// In the names of files that each shard writes of its own, e.g. ".shard-0-of-4"; "" for all.
    std::string tag() const;
};

/// "I/N" with 0 ≤ I < N. Throws Error{Config}.
Shard parse_shard(const std::string& text);

/// Expands inputs (slides, folders searched recursively, globs, CSV lists) into slides in a fixed
/// order. Files of one DICOM series are one slide, named by the first of them; side files of other
/// formats are left out.
/// Throws Error{Config} for an input that does not exist.
std::vector<BatchSlide> find_batch_slides(const std::vector<std::string>& inputs);

/// Slides of one shard: every slide belongs to exactly one of `count` shards, by a stable hash of
/// its relative path, whatever else lies in the folder.
std::vector<BatchSlide> select_shard(std::vector<BatchSlide> slides, const Shard& shard);

}  // namespace wsi
