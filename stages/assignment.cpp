#include "stages/assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace wsi {

namespace {

constexpr size_t kNone = SIZE_MAX;

/// Pairs of one block with rows and columns renumbered; `index` points into the caller's list.
struct Block {
    std::vector<uint32_t> rows, columns;
    std::vector<size_t> index;
};

class Sets {
public:
    explicit Sets(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0U); }
    uint32_t root(uint32_t i) {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }
    void join(uint32_t a, uint32_t b) { parent_[root(a)] = root(b); }

private:
    std::vector<uint32_t> parent_;
};

std::vector<Block> split_blocks(const std::vector<WeightedPair>& pairs, uint32_t rows,
                                uint32_t columns) {
    Sets sets(size_t{rows} + columns);
    for (const WeightedPair& p : pairs) sets.join(p.row, rows + p.column);
    std::vector<size_t> block_of(size_t{rows} + columns, kNone);
    std::vector<Block> blocks;
    for (size_t i = 0; i < pairs.size(); ++i) {
        size_t& block = block_of[sets.root(pairs[i].row)];
        if (block == kNone) {
            block = blocks.size();
            blocks.emplace_back();
        }
        Block& b = blocks[block];
        b.index.push_back(i);
        b.rows.push_back(pairs[i].row);
        b.columns.push_back(pairs[i].column);
    }
    return blocks;
}

void keep_distinct(std::vector<uint32_t>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

size_t place(const std::vector<uint32_t>& sorted, uint32_t value) {
    return static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) -
                               sorted.begin());
}

/// Hungarian method with potentials on a dense cost matrix, short <= wide; the classical
/// O(short² * wide) form that adds one row at a time. Returns the column of each row.
class Hungarian {
public:
    Hungarian(size_t rows, size_t columns, const std::vector<double>& cost)
        : columns_(columns),
          cost_(cost),
          row_price_(rows + 1),
          column_price_(columns + 1),
          row_of_(columns + 1, kNone),
          before_(columns + 1) {
        for (size_t row = 0; row < rows; ++row) add_row(row);
    }
    std::vector<size_t> column_of_rows(size_t rows) const {
        std::vector<size_t> result(rows, kNone);
        for (size_t c = 1; c <= columns_; ++c)
            if (row_of_[c] != kNone) result[row_of_[c]] = c - 1;
        return result;
    }

private:
    // Column 0 is a stand-in that holds the row being added.
    void add_row(size_t row) {
        row_of_[0] = row;
        std::vector<double> least(columns_ + 1, std::numeric_limits<double>::infinity());
        std::vector<char> used(columns_ + 1, 0);
        size_t at = 0;
        while (row_of_[at] != kNone) at = advance(at, least, used);
        while (at != 0) {
            row_of_[at] = row_of_[before_[at]];
            at = before_[at];
        }
        row_of_[0] = kNone;
    }
    size_t advance(size_t at, std::vector<double>& least, std::vector<char>& used) {
        used[at] = 1;
        const size_t row = row_of_[at];
        size_t next = 0;
        double delta = std::numeric_limits<double>::infinity();
        for (size_t c = 1; c <= columns_; ++c) {
            if (used[c]) continue;
            const double reduced =
                cost_[row * columns_ + c - 1] - row_price_[row] - column_price_[c];
            if (reduced < least[c]) {
                least[c] = reduced;
                before_[c] = at;
            }
            if (least[c] < delta) {
                delta = least[c];
                next = c;
            }
        }
        for (size_t c = 0; c <= columns_; ++c) {
            if (used[c]) {
                row_price_[row_of_[c]] += delta;
                column_price_[c] -= delta;
            } else {
                least[c] -= delta;
            }
        }
        return next;
    }

    size_t columns_;
    const std::vector<double>& cost_;
    std::vector<double> row_price_, column_price_;
    std::vector<size_t> row_of_, before_;
};

void solve(const Block& block, const std::vector<WeightedPair>& pairs,
           std::vector<size_t>& chosen) {
    std::vector<uint32_t> rows = block.rows, columns = block.columns;
    keep_distinct(rows);
    keep_distinct(columns);
    const bool turned = rows.size() > columns.size();
    const size_t height = turned ? columns.size() : rows.size();
    const size_t width = turned ? rows.size() : columns.size();
    std::vector<double> cost(height * width, 0.0);
    std::vector<size_t> index(height * width, kNone);
    for (size_t i = 0; i < block.index.size(); ++i) {
        const size_t r = place(rows, block.rows[i]), c = place(columns, block.columns[i]);
        const size_t cell = turned ? c * width + r : r * width + c;
        cost[cell] = -pairs[block.index[i]].weight;
        index[cell] = block.index[i];
    }
    const std::vector<size_t> column_of = Hungarian(height, width, cost).column_of_rows(height);
    for (size_t r = 0; r < height; ++r)
        if (index[r * width + column_of[r]] != kNone)
            chosen.push_back(index[r * width + column_of[r]]);
}

}  // namespace

std::vector<size_t> best_assignment(const std::vector<WeightedPair>& pairs, uint32_t rows,
                                    uint32_t columns) {
    std::vector<size_t> chosen;
    for (const Block& block : split_blocks(pairs, rows, columns)) {
        if (block.index.size() == 1)
            chosen.push_back(block.index.front());
        else
            solve(block, pairs, chosen);
    }
    std::sort(chosen.begin(), chosen.end());
    return chosen;
}

}  // namespace wsi
