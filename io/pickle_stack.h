#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/error.h"
#include "io/pickle_value.h"

namespace wsi {

/// Throws Error{Checkpoint}; the machine puts "the pickle" in front and the place behind.
[[noreturn]] void refuse_pickle(const auto&... parts) { fail(ErrorKind::Checkpoint, parts...); }

/// The pickle machine's stack, marks, memo and the values made so far. Each is capped, and nothing
/// below the last mark can be taken.
class PickleStack {
public:
    const PickleNode& node(uint32_t id) const { return nodes_[id]; }
    void push(PickleNode made);
    void push_id(uint32_t id);
    void integer(int64_t value) { push({.kind = PickleNode::Kind::Int, .integer = value}); }
    void mark();
    /// The last values, in the order they were pushed.
    std::vector<uint32_t> pop(size_t count);
    std::vector<uint32_t> pop_to_mark();
    PickleNode& top();
    /// Memorises the top at a place / pushes what is there.
    void put(uint32_t place);
    void get(uint32_t place);
    /// The result: the one value left. Leaves the stack empty.
    Pickle finish();

private:
    size_t above_mark() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
    std::vector<PickleNode> nodes_;
    std::vector<uint32_t> stack_, memo_;
    std::vector<size_t> marks_;
};

}  // namespace wsi
