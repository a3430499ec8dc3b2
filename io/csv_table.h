#pragma once

#include <map>
#include <string>
#include <vector>

namespace wsi {

/// A comma-separated file with a header line; quotes as in RFC 4180, no line breaks inside cells.
class CsvTable {
public:
    /// Throws Error{Config} for a file that cannot be read, is empty, or has a row of another
    /// length than the header.
    explicit CsvTable(const std::string& path);

    size_t rows() const { return rows_.size(); }
    bool has(const std::string& column) const { return columns_.contains(column); }
    /// "" when there is no such column.
    const std::string& text(size_t row, const std::string& column) const;
    /// `missing` when the cell is empty or there is no such column. Throws Error{Config} with file
    /// and line for anything else that is not a number.
    double number(size_t row, const std::string& column, double missing) const;

private:
    std::string path_;
    std::map<std::string, size_t> columns_;
    std::vector<std::vector<std::string>> rows_;
    std::vector<int> lines_;
};

}  // namespace wsi
