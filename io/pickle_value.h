#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "io/types/tensor.h"

namespace wsi {

/// Names of Python objects that a pickle may ask for. All others are refused by name: a pickle that
/// may name any object may run any program.
enum class PickleGlobal : uint8_t { OrderedDict, Size, RebuildTensor, RebuildParameter, Storage };

struct PickleNode {
    enum class Kind : uint8_t {
        None,
        Bool,
        Int,
        Float,
        Text,
        List,
        Tuple,
        Dict,     ///< OrderedDict too
        Global,   ///< a name, not yet called
        Storage,  ///< text: its key in the archive, integer: elements, dtype
        Tensor    ///< children: the arguments of torch._utils._rebuild_tensor_v2
    };
    Kind kind = Kind::None;
    PickleGlobal global = PickleGlobal::OrderedDict;
    DType dtype = DType::F32;
    int64_t integer = 0;               ///< Bool, Int, Storage
    double number = 0;                 ///< Float
    std::string_view text{};           ///< Text, Storage; a view into the pickle
    std::vector<uint32_t> children{};  ///< List, Tuple, Tensor; Dict: key, value, key, value, ...
};

/// What a pickle describes. Nodes name each other by index and may be shared or even cyclic: who
/// walks them bounds his walk.
struct Pickle {
    std::vector<PickleNode> nodes;
    uint32_t root = 0;
};

/// The value of a text key; of several the last, as in Python. Null when absent or no dictionary.
const PickleNode* find_value(const Pickle& pickle, const PickleNode& dict, std::string_view key);

/// For messages: "a list", "a tensor" ...
std::string_view kind_name(PickleNode::Kind kind);

}  // namespace wsi
