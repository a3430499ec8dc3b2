#include "io/pickle_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/error.h"
#include "io/pickle_names.h"

namespace wsi {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using Kind = PickleNode::Kind;

Pickle run(const std::string& opcodes) { return read_pickle(std::as_bytes(std::span(opcodes))); }

PickleNode value(const std::string& opcodes) {
    const Pickle pickle = run("\x80\x02" + opcodes + ".");
    return pickle.nodes[pickle.root];
}

std::string refusal(const std::string& opcodes) {
    try {
        run("\x80\x02" + opcodes);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
        return error.what();
    }
    return "accepted";
}

TEST(PickleMachineTest, integers_are_what_python_meant) {
    EXPECT_EQ(value("K\xff").integer, 255);
    EXPECT_EQ(value("M\xff\xff").integer, 65535);
    EXPECT_EQ(value("J\xfe\xff\xff\xff").integer, -2);
    EXPECT_EQ(value("\x8a\0"s).integer, 0);
    EXPECT_EQ(value("\x8a\x01\xff").integer, -1);
    EXPECT_EQ(value("\x8a\x02\xff\0"s).integer, 255);
    EXPECT_EQ(value("\x8a\x08\0\0\0\0\0\0\0\x80"s).integer, INT64_MIN);
    EXPECT_EQ(value("G\x3f\xf8\0\0\0\0\0\0"s).number, 1.5);
}

TEST(PickleMachineTest, containers_keep_order_and_share_through_the_memo) {
    const Pickle pickle = run("\x80\x02]q\0(K\1K\2eK\3ah\0\x86."s);
    const PickleNode& pair = pickle.nodes[pickle.root];
    ASSERT_EQ(pair.children.size(), 2u);
    EXPECT_EQ(pair.children[0], pair.children[1]);
    const PickleNode& list = pickle.nodes[pair.children[0]];
    ASSERT_EQ(list.children.size(), 3u);
    EXPECT_EQ(pickle.nodes[list.children[2]].integer, 3);
    EXPECT_EQ(value("(K\1K\2t").children.size(), 2u);
    EXPECT_EQ(value("(\x88\x89Nt").kind, Kind::Tuple);
}

TEST(PickleMachineTest, of_a_key_given_twice_the_last_value_counts) {
    const std::string opcodes = "\x80\x02}(X\1\0\0\0aK\1X\1\0\0\0aK\2u."s;  // texts are views of it
    const Pickle pickle = run(opcodes);
    EXPECT_EQ(find_value(pickle, pickle.nodes[pickle.root], "a")->integer, 2);
    EXPECT_EQ(find_value(pickle, pickle.nodes[pickle.root], "b"), nullptr);
}

TEST(PickleMachineTest, sizes_and_ordered_dicts_are_plain_values) {
    EXPECT_EQ(value("ctorch\nSize\n(K\1K\2t\x85R").children.size(), 2u);
    EXPECT_EQ(value("ccollections\nOrderedDict\n)RX\1\0\0\0aK\1s}b"s).children.size(), 2u);
}

/// Every byte that is no accepted opcode is refused by its name.
TEST(PickleMachineTest, exactly_the_opcodes_of_a_state_dict_are_accepted) {
    std::string accepted;
    for (int code = 0; code < 256; ++code) {
        const std::string message = refusal(std::string(1, static_cast<char>(code)));
        const std::string name(opcode_name(static_cast<uint8_t>(code)));
        if (message.find("uses the opcode " + name + ", which is not accepted") ==
            std::string::npos)
            accepted += static_cast<char>(code);
    }
    EXPECT_EQ(accepted, "().GJKMNQRX]abcehjqrstu}\x80\x85\x86\x87\x88\x89\x8a");
    for (const char* hostile : {"i", "o", "\x81", "\x92", "\x93", "\x82", "I", "P"})
        EXPECT_THAT(refusal(hostile), HasSubstr("not accepted")) << hostile;
    EXPECT_THAT(refusal("\x93"), HasSubstr("STACK_GLOBAL"));
    EXPECT_THAT(refusal("\x81"), HasSubstr("NEWOBJ"));
}

TEST(PickleMachineTest, objects_are_refused_by_name_whatever_is_done_with_them) {
    for (const char* name :
         {"os\nsystem", "builtins\neval", "torch\nload", "torch._utils\n_rebuild_tensor_v2x",
          "collections\nOrderedDict.fromkeys", "torch\n_utils._rebuild_tensor_v2", "numpy\ndtype"})
        EXPECT_THAT(refusal("c"s + name + "\n."), HasSubstr("which is not accepted")) << name;
    EXPECT_THAT(refusal("cos\x1b\nsystem\n."), HasSubstr("'os\\x1b.system'"));
}

TEST(PickleMachineTest, damage_is_refused) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "too early"},
        {"J\1\2", "too early"},
        {"X\xff\xff\xff\xff"s, "too early"},
        {"c"
         "os",
         "inside a name"},
        {".", "ends with 0 values"},
        {"NN.", "ends with 2 values"},
        {"(N.", "ends with 1 values"},
        {"\x86.", "not there"},
        {"N(\x85.", "not there"},  // nothing below a mark may be taken
        {"t.", "a mark that is not there"},
        {"(a.", "not there"},
        {"Na.", "not there"},
        {"NNa.", "adds to None, expected a list"},
        {"]NNs.", "adds to a list, expected a dictionary"},
        {"}(Nu.", "key without a value"},
        {"h\0."s, "recalls place 0"},
        {"Nq\1h\0."s, "recalls place 0"},
        {"Nr\xff\xff\xff\xff."s, "the limit is 1000000"},
        {"q\0."s, "not there"},
        {"\x8a\x09\0\0\0\0\0\0\0\0\0."s, "beyond 64 bits"},
        {"N)R.", "calls None"},
        {"ccollections\nOrderedDict\nNR.", "with None"},
        {"ccollections\nOrderedDict\nN\x85R.", "fills an OrderedDict"},
        {"ctorch\nSize\n)R.", "no tuple"},
        {"ctorch\nFloatStorage\n)R.", "storage type"},
        {"ctorch._utils\n_rebuild_parameter\nN\x85R.", "no tensor"},
        {"ctorch._utils\n_rebuild_tensor_v2\n)R.", "0 arguments"},
        {"NQ.", "no storage"},
        {"(NNNNNtQ.", "no storage"},
        {"N}b.", "sets attributes of None"}};
    for (const auto& [opcodes, message] : cases)
        EXPECT_THAT(refusal(opcodes), HasSubstr(message)) << testing::PrintToString(opcodes);
}

TEST(PickleMachineTest, stack_marks_and_values_are_capped) {
    EXPECT_THAT(refusal(std::string(1'000'001, '(')), HasSubstr("1000000 marks"));
    EXPECT_THAT(refusal(std::string(1'000'001, 'N')), HasSubstr("1000000 values"));
    std::string many = "Nq\0"s;
    for (int i = 0; i < 1'000'000; ++i) many += "h\0"s;
    EXPECT_THAT(refusal(many), HasSubstr("stacks more than 1000000 values"));
    std::string made = "]";
    for (int i = 0; i < 1'000'000; ++i) made += "Na";
    EXPECT_THAT(refusal(made), HasSubstr("has more than 1000000 values"));
}

}  // namespace
}  // namespace wsi
