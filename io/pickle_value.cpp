#include "io/pickle_value.h"

namespace wsi {

using Kind = PickleNode::Kind;

const PickleNode* find_value(const Pickle& pickle, const PickleNode& dict, std::string_view key) {
    if (dict.kind != Kind::Dict) return nullptr;
    for (size_t i = dict.children.size(); i >= 2; i -= 2) {
        const PickleNode& name = pickle.nodes[dict.children[i - 2]];
        if (name.kind == Kind::Text && name.text == key) return &pickle.nodes[dict.children[i - 1]];
    }
    return nullptr;
}

std::string_view kind_name(Kind kind) {
    static constexpr std::string_view kNames[] = {
        "None",    "a truth value", "an integer", "a number",  "a text",  "a list",
        "a tuple", "a dictionary",  "a name",     "a storage", "a tensor"};
    return kNames[static_cast<size_t>(kind)];
}

}  // namespace wsi
