#include "io/csv_table.h"

#include <charconv>
#include <fstream>

#include "config/error.h"

namespace wsi {

namespace {

std::vector<std::string> split_line(const std::string& line) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
            cells.back() += c;
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            cells.emplace_back();
        } else if (c != '\r') {
            cells.back() += c;
        }
    }
    return cells;
}

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

}  // namespace

CsvTable::CsvTable(const std::string& path) : path_(path) {
    std::ifstream in(path);
    if (!in) fail(ErrorKind::Config, "cannot read ", path);
    std::string line;
    if (!std::getline(in, line)) fail(ErrorKind::Config, path, " is empty");
    if (line.starts_with(kUtf8Mark)) line.erase(0, kUtf8Mark.size());
    const std::vector<std::string> names = split_line(line);
    for (size_t i = 0; i < names.size(); ++i) columns_.emplace(names[i], i);
    for (int number = 2; std::getline(in, line); ++number) {
        if (line.empty() || line == "\r") continue;
        rows_.push_back(split_line(line));
        lines_.push_back(number);
        if (rows_.back().size() != names.size())
            fail(ErrorKind::Config, path, ":", number, ": ", rows_.back().size(),
                 " cells, but the first line names ", names.size());
    }
}

const std::string& CsvTable::text(size_t row, const std::string& column) const {
    static const std::string none;
    const auto at = columns_.find(column);
    return at == columns_.end() ? none : rows_.at(row)[at->second];
}

double CsvTable::number(size_t row, const std::string& column, double missing) const {
    const std::string& cell = text(row, column);
    if (cell.empty()) return missing;
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size())
        fail(ErrorKind::Config, path_, ":", lines_[row], ": ", column, " = '", cell,
             "' is not a number");
    return value;
}

}  // namespace wsi
