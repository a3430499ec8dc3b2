#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace wsi {

/// A setting that a training program saved beside its weights: nothing, a truth value, a number, a
/// text, a list (tuples too) or a dictionary of such. A tree: never shared, never cyclic.
struct PlainValue {
    using List = std::vector<PlainValue>;
    using Dict = std::map<std::string, PlainValue>;
    std::variant<std::monostate, bool, int64_t, double, std::string, List, Dict> value;
};

}  // namespace wsi
