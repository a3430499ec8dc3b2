#include "io/pickle_machine.h"

#include <bit>
#include <cstring>
#include <string>

#include "config/error.h"
#include "io/pickle_names.h"
#include "io/pickle_stack.h"
#include "io/shown.h"

namespace wsi {

namespace {

using Kind = PickleNode::Kind;

constexpr size_t kLongestPickle = 64u << 20;  // bytes
constexpr size_t kLongestKey = 255;           // of a storage; torch.save counts 0, 1, 2 ...
constexpr const char* kSaveAgain =
    "save the weights alone, torch.save(model.state_dict(), path), or as safetensors";

class Machine {
public:
    explicit Machine(std::span<const std::byte> bytes)
        : text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

    Pickle run() {
        if (text_.size() > kLongestPickle)
            refuse_pickle("has ", text_.size(), " bytes, the limit is ", kLongestPickle);
        try {
            while (step()) {
            }
            return stack_.finish();
        } catch (const Error& error) {
            fail(error.kind(), "the pickle ", error.what(), " (opcode ", opcode_name(opcode_),
                 " at its byte ", opcode_at_, "); ", remedy_);
        }
    }

private:
    /// False at the end.
    bool step() {
        opcode_at_ = at_;
        opcode_ = number<uint8_t>();
        return simple() || call() || container() || literal() || unknown();
    }

    bool unknown() {
        if (opcode_ == '.') return false;
        remedy_ = kSaveAgain;
        refuse_pickle("uses the opcode ", opcode_name(opcode_), ", which is not accepted");
    }

    /// Values without a body, the memo and the protocol.
    bool simple() {
        switch (opcode_) {
            case 0x80: check_protocol(number<uint8_t>()); return true;                // PROTO
            case 'q': stack_.put(number<uint8_t>()); return true;                     // BINPUT
            case 'r': stack_.put(number<uint32_t>()); return true;                    // LONG_BINPUT
            case 'h': stack_.get(number<uint8_t>()); return true;                     // BINGET
            case 'j': stack_.get(number<uint32_t>()); return true;                    // LONG_BINGET
            case 'N': stack_.push({.kind = Kind::None}); return true;                 // NONE
            case 0x88: stack_.push({.kind = Kind::Bool, .integer = 1}); return true;  // NEWTRUE
            case 0x89: stack_.push({.kind = Kind::Bool}); return true;                // NEWFALSE
            case ')': stack_.push({.kind = Kind::Tuple}); return true;                // EMPTY_TUPLE
            case ']': stack_.push({.kind = Kind::List}); return true;                 // EMPTY_LIST
            case '}': stack_.push({.kind = Kind::Dict}); return true;                 // EMPTY_DICT
            default: return false;
        }
    }

    bool literal() {
        switch (opcode_) {
            case 'K': stack_.integer(number<uint8_t>()); return true;   // BININT1
            case 'M': stack_.integer(number<uint16_t>()); return true;  // BININT2
            case 'J': stack_.integer(number<int32_t>()); return true;   // BININT
            case 0x8a: stack_.integer(long_integer()); return true;     // LONG1
            case 'G':  // BINFLOAT, the one big-endian
                stack_.push(
                    {.kind = Kind::Float,
                     .number = std::bit_cast<double>(__builtin_bswap64(number<uint64_t>()))});
                return true;
            case 'X':  // BINUNICODE
                stack_.push({.kind = Kind::Text, .text = take(number<uint32_t>())});
                return true;
            default: return false;
        }
    }

    bool container() {
        switch (opcode_) {
            case '(': stack_.mark(); return true;                             // MARK
            case 't': tuple(stack_.pop_to_mark()); return true;               // TUPLE
            case 0x85: tuple(stack_.pop(1)); return true;                     // TUPLE1
            case 0x86: tuple(stack_.pop(2)); return true;                     // TUPLE2
            case 0x87: tuple(stack_.pop(3)); return true;                     // TUPLE3
            case 'a': extend(Kind::List, stack_.pop(1)); return true;         // APPEND
            case 'e': extend(Kind::List, stack_.pop_to_mark()); return true;  // APPENDS
            case 's': extend(Kind::Dict, stack_.pop(2)); return true;         // SETITEM
            case 'u': extend(Kind::Dict, stack_.pop_to_mark()); return true;  // SETITEMS
            default: return false;
        }
    }

    bool call() {
        switch (opcode_) {
            case 'c': global(); return true;   // GLOBAL
            case 'R': reduce(); return true;   // REDUCE
            case 'Q': storage(); return true;  // BINPERSID
            case 'b':                          // BUILD: _metadata of a state dict, of no use here
                stack_.pop(1);
                if (stack_.top().kind != Kind::Dict)
                    refuse_pickle("sets attributes of ", kind_name(stack_.top().kind));
                return true;
            default: return false;
        }
    }

    // ---- bytes

    std::string_view take(size_t count) {
        if (count > text_.size() - at_) refuse_pickle("ends at byte ", text_.size(), ", too early");
        const std::string_view taken = text_.substr(at_, count);
        at_ += count;
        return taken;
    }

    template <class Number>
    Number number() {
        Number value;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }

    std::string_view line() {
        const size_t end = text_.find('\n', at_);
        if (end == std::string_view::npos) refuse_pickle("ends inside a name");
        const std::string_view taken = take(end - at_);
        take(1);
        return taken;
    }

    /// Little-endian two's complement of as many bytes as the next byte says.
    int64_t long_integer() {
        const std::string_view digits = take(number<uint8_t>());
        if (digits.size() > sizeof(int64_t)) refuse_pickle("has an integer beyond 64 bits");
        uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
        std::memcpy(&value, digits.data(), digits.size());
        return static_cast<int64_t>(value);
    }

    // ---- values

    void check_protocol(uint8_t protocol) {
        if (protocol == 2) return;
        remedy_ = kSaveAgain;
        refuse_pickle("has protocol ", int{protocol}, ", expected 2");
    }

    void tuple(std::vector<uint32_t> items) {
        stack_.push({.kind = Kind::Tuple, .children = std::move(items)});
    }

    void extend(Kind kind, const std::vector<uint32_t>& items) {
        PickleNode& target = stack_.top();
        if (target.kind != kind)
            refuse_pickle("adds to ", kind_name(target.kind), ", expected ", kind_name(kind));
        if (kind == Kind::Dict && items.size() % 2 != 0) refuse_pickle("has a key without a value");
        target.children.insert(target.children.end(), items.begin(), items.end());
    }

    void global() {
        const std::string_view module = line(), name = line();
        const auto known = known_global(module, name);
        if (!known) {
            remedy_ = kSaveAgain;
            refuse_pickle("asks for the Python object ",
                          shown(std::string(module) + "." + std::string(name)),
                          ", which is not accepted, as loading it could run any program");
        }
        stack_.push(
            {.kind = Kind::Global, .global = known->global, .dtype = known->dtype, .text = name});
    }

    void reduce() {
        const auto taken = stack_.pop(2);
        const PickleNode &function = stack_.node(taken[0]), &arguments = stack_.node(taken[1]);
        if (function.kind != Kind::Global || arguments.kind != Kind::Tuple)
            refuse_pickle("calls ", kind_name(function.kind), " with ", kind_name(arguments.kind));
        const std::vector<uint32_t>& given = arguments.children;
        switch (function.global) {
            case PickleGlobal::OrderedDict:
                if (!given.empty()) refuse_pickle("fills an OrderedDict in its call");
                return stack_.push({.kind = Kind::Dict});
            case PickleGlobal::Size:
                if (given.size() != 1 || stack_.node(given[0]).kind != Kind::Tuple)
                    refuse_pickle("makes a torch.Size of no tuple");
                return stack_.push_id(given[0]);
            case PickleGlobal::RebuildParameter:
                if (given.empty() || stack_.node(given[0]).kind != Kind::Tensor)
                    refuse_pickle("makes a parameter of no tensor");
                return stack_.push_id(given[0]);
            case PickleGlobal::RebuildTensor:
                // Capped, as the arguments are copied: one tuple may be used a million times.
                if (given.size() < 6 || given.size() > 7)
                    refuse_pickle("makes a tensor of ", given.size(),
                                  " arguments, expected 6 or 7");
                return stack_.push({.kind = Kind::Tensor, .children = given});
            case PickleGlobal::Storage: refuse_pickle("calls a storage type");
        }
    }

    /// ("storage", type, key, location, elements); where the tensor lived does not matter.
    void storage() {
        const PickleNode& id = stack_.node(stack_.pop(1)[0]);
        if (id.kind != Kind::Tuple || id.children.size() != 5)
            refuse_pickle("has a persistent id that is no storage");
        const PickleNode &word = stack_.node(id.children[0]), &type = stack_.node(id.children[1]),
                         &key = stack_.node(id.children[2]), &count = stack_.node(id.children[4]);
        if (word.kind != Kind::Text || word.text != "storage" || type.kind != Kind::Global ||
            type.global != PickleGlobal::Storage || key.kind != Kind::Text ||
            count.kind != Kind::Int || key.text.size() > kLongestKey)
            refuse_pickle("has a persistent id that is no storage");
        stack_.push({.kind = Kind::Storage,
                     .dtype = type.dtype,
                     .integer = count.integer,
                     .text = key.text});
    }

    const char* remedy_ = "the file is damaged or was not made by torch.save, fetch it again";
    std::string_view text_;
    size_t at_ = 0, opcode_at_ = 0;
    uint8_t opcode_ = 0;
    PickleStack stack_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> pickle) { return Machine(pickle).run(); }

}  // namespace wsi
