#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/export.h"

namespace wsi {

/// Rows on their way into a file.
struct ExportBlock {
    NucleiBatch rows;                ///< features: only the columns chosen; runs empty
    std::vector<std::string> uuids;  ///< one per row
    uint64_t first = 0;              ///< row i has id first + i + 1
};

/// What one file is written from: rows [first, first + count) of a result, some of its columns,
/// outlines simplified when asked for.
class ExportSource {
public:
    /// `columns`: places in result.header().schema, in the order of the file; those that
    /// options.naming has no name for are left out.
    /// `identity`: columns of the identity that options.naming's names are wanted for, too; under
    /// our own they are there anyway.
    ExportSource(const ResultReader& result, const ExportOptions& options,
                 const std::vector<size_t>& columns, const std::vector<std::string>& identity,
                 uint64_t first, uint64_t count);

    const ResultReader& result() const { return result_; }
    const ResultHeader& header() const { return result_.header(); }
    const ExportOptions& options() const { return options_; }
    /// The feature columns chosen, as options().naming calls them.
    const FeatureSchema& schema() const { return schema_; }
    uint64_t count() const { return count_; }

    /// The slide's file name, without its folder.
    std::string slide_name() const;
    /// JSON: slide, hash, resolution, bounds, and `frame`, which says what coordinates are counted
    /// in: what a reader needs to turn them into micrometres and to tell slides apart.
    std::string slide_record(const std::string& frame) const;
    /// Name, colour of a class; a class that the table lacks is named by its id.
    NucleusClass class_of(uint8_t id) const;

    /// Calls use(block) in id order and reports progress.
    void for_each_block(const std::function<void(const ExportBlock&)>& use) const;

private:
    /// What is written in place of the values read, whose columns are `columns_`.
    std::vector<float> renamed(const ExportBlock& block) const;
    const ResultReader& result_;
    const ExportOptions& options_;
    std::vector<NamedColumn> named_;  // as schema_
    std::vector<size_t> columns_;     // of named_ that have a place in the result
    FeatureSchema schema_;
    uint64_t first_, count_;
};

/// "#rrggbb".
std::string hex_colour(const NucleusClass& c);

}  // namespace wsi
