#include "io/torch_state_dict.h"

#include <array>
#include <optional>
#include <string>

#include "config/error.h"
#include "io/shown.h"

namespace wsi {

using Kind = PickleNode::Kind;

namespace {

constexpr std::array<std::string_view, 4> kWrappers{"state_dict", "model_state_dict", "model",
                                                    "desc"};
constexpr int kDeepest = 32;
constexpr size_t kLargestSettings = 16u << 20;  // bytes, about

/// Is there a tensor in it, however deep? Every node is looked at once, so cycles do no harm.
bool holds_tensors(const Pickle& pickle, const PickleNode& start) {
    std::vector<bool> seen(pickle.nodes.size());
    std::vector<uint32_t> open(start.children);
    while (!open.empty()) {
        const uint32_t id = open.back();
        open.pop_back();
        if (seen[id]) continue;
        seen[id] = true;
        const PickleNode& node = pickle.nodes[id];
        if (node.kind == Kind::Tensor) return true;
        open.insert(open.end(), node.children.begin(), node.children.end());
    }
    return false;
}

const PickleNode* wrapped(const Pickle& pickle, const PickleNode& dict) {
    const PickleNode* found = nullptr;
    std::string_view found_key;
    for (const std::string_view key : kWrappers) {
        const PickleNode* value = find_value(pickle, dict, key);
        if (value == nullptr || value->kind != Kind::Dict || !holds_tensors(pickle, *value))
            continue;
        if (found != nullptr && found != value)
            fail(ErrorKind::Checkpoint, "holds tensors under ", shown(found_key), " and under ",
                 shown(key), ", expected one model; save the one you want alone");
        found = value;
        found_key = key;
    }
    return found;
}

bool holds_tensors_directly(const Pickle& pickle, const PickleNode& dict) {
    for (size_t i = 1; i < dict.children.size(); i += 2)
        if (pickle.nodes[dict.children[i]].kind == Kind::Tensor) return true;
    return false;
}

std::string keys_of(const Pickle& pickle, const PickleNode& dict) {
    constexpr size_t kShown = 8;
    std::string keys;
    for (size_t i = 0; i < dict.children.size() && i < 2 * kShown; i += 2) {
        const PickleNode& key = pickle.nodes[dict.children[i]];
        keys += keys.empty() ? "" : ", ";
        keys += key.kind == Kind::Text ? shown(key.text) : std::string(kind_name(key.kind));
    }
    return keys.empty() ? "none" : dict.children.size() > 2 * kShown ? keys + ", ..." : keys;
}

/// Copies plain values out of a pickle's graph into a tree of bounded size.
class SettingsCopy {
public:
    SettingsCopy(const Pickle& pickle, const PickleNode& state_dict)
        : pickle_(pickle), state_dict_(state_dict) {}

    PlainValue::Dict dict(const PickleNode& node, int depth) {
        PlainValue::Dict out;
        for (size_t i = 0; i < node.children.size(); i += 2) {
            const auto key = key_text(pickle_.nodes[node.children[i]]);
            const PickleNode& value = pickle_.nodes[node.children[i + 1]];
            if (!key || value.kind == Kind::Tensor || &value == &state_dict_) continue;
            out.insert_or_assign(*key, copy(value, depth + 1));
        }
        return out;
    }

private:
    std::optional<std::string> key_text(const PickleNode& key) {
        spend(key.text.size());
        if (key.kind == Kind::Text) return std::string(key.text);
        if (key.kind == Kind::Int) return std::to_string(key.integer);
        return std::nullopt;
    }

    PlainValue copy(const PickleNode& node, int depth) {
        if (depth > kDeepest)
            fail(ErrorKind::Checkpoint, "has settings nested more than ", kDeepest,
                 " deep, or in a cycle; save model.state_dict() alone");
        spend(node.text.size());
        switch (node.kind) {
            case Kind::Bool: return {node.integer != 0};
            case Kind::Int: return {node.integer};
            case Kind::Float: return {node.number};
            case Kind::Text: return {std::string(node.text)};
            case Kind::Dict: return {dict(node, depth)};
            case Kind::List:
            case Kind::Tuple: return {list(node, depth)};
            default: return {};  // nothing; also for a tensor inside a list, to keep the places
        }
    }

    PlainValue::List list(const PickleNode& node, int depth) {
        PlainValue::List out;
        for (const uint32_t id : node.children) out.push_back(copy(pickle_.nodes[id], depth + 1));
        return out;
    }

    void spend(size_t text_bytes) {
        spent_ += text_bytes + sizeof(PlainValue);
        if (spent_ > kLargestSettings)
            fail(ErrorKind::Checkpoint, "has more than ", kLargestSettings,
                 " bytes of settings; save model.state_dict() alone");
    }

    const Pickle& pickle_;
    const PickleNode& state_dict_;
    size_t spent_ = 0;
};

}  // namespace

const PickleNode& find_state_dict(const Pickle& pickle) {
    const PickleNode* dict = &pickle.nodes[pickle.root];
    if (dict->kind != Kind::Dict)
        fail(ErrorKind::Checkpoint, "holds ", kind_name(dict->kind),
             ", expected a dictionary of tensors; save model.state_dict()");
    for (int depth = 0; depth < kDeepest; ++depth) {
        const PickleNode* inner = wrapped(pickle, *dict);
        if (inner == nullptr || inner == dict) break;
        dict = inner;
    }
    if (!holds_tensors_directly(pickle, *dict))
        fail(ErrorKind::Checkpoint,
             "holds no tensors at its top or under 'state_dict', 'model_state_dict', 'model' or "
             "'desc'; its keys are ",
             keys_of(pickle, *dict), "; save model.state_dict()");
    return *dict;
}

PlainValue::Dict settings_around(const Pickle& pickle, const PickleNode& state_dict) {
    return SettingsCopy(pickle, state_dict).dict(pickle.nodes[pickle.root], 0);
}

}  // namespace wsi
