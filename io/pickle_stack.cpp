#include "io/pickle_stack.h"

#include <utility>

namespace wsi {

namespace {
// Far above any training checkpoint (SAM ViT-H with optimiser state: about 50 000 values).
constexpr size_t kMost = 1'000'000;
constexpr uint32_t kNothing = UINT32_MAX;
}  // namespace

void PickleStack::push_id(uint32_t id) {
    if (stack_.size() == kMost) refuse_pickle("stacks more than ", kMost, " values");
    stack_.push_back(id);
}

void PickleStack::push(PickleNode made) {
    if (nodes_.size() == kMost) refuse_pickle("has more than ", kMost, " values");
    nodes_.push_back(std::move(made));
    push_id(static_cast<uint32_t>(nodes_.size() - 1));
}

void PickleStack::mark() {
    if (marks_.size() == kMost) refuse_pickle("stacks more than ", kMost, " marks");
    marks_.push_back(stack_.size());
}

std::vector<uint32_t> PickleStack::pop(size_t count) {
    if (above_mark() < count) refuse_pickle("takes a value that is not there");
    const auto first = stack_.end() - static_cast<ptrdiff_t>(count);
    std::vector<uint32_t> taken(first, stack_.end());
    stack_.erase(first, stack_.end());
    return taken;
}

std::vector<uint32_t> PickleStack::pop_to_mark() {
    if (marks_.empty()) refuse_pickle("takes values from a mark that is not there");
    std::vector<uint32_t> taken = pop(above_mark());
    marks_.pop_back();
    return taken;
}

PickleNode& PickleStack::top() {
    if (above_mark() == 0) refuse_pickle("takes a value that is not there");
    return nodes_[stack_.back()];
}

void PickleStack::put(uint32_t place) {
    if (place >= kMost) refuse_pickle("memorises at place ", place, ", the limit is ", kMost);
    top();
    if (place >= memo_.size()) memo_.resize(place + size_t{1}, kNothing);
    memo_[place] = stack_.back();
}

void PickleStack::get(uint32_t place) {
    if (place >= memo_.size() || memo_[place] == kNothing)
        refuse_pickle("recalls place ", place, ", where nothing is");
    push_id(memo_[place]);
}

Pickle PickleStack::finish() {
    if (stack_.size() != 1 || !marks_.empty())
        refuse_pickle("ends with ", stack_.size(), " values, expected 1");
    return {std::move(nodes_), std::exchange(stack_, {}).back()};
}

}  // namespace wsi
