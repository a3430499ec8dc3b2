#include "model/nn/state.h"

#include <gmock/gmock.h>

#include "config/error.h"
#include "model/nn/networks.h"
#include "tests/support/message_of.h"
#include "tests/support/temp_dir.h"

namespace wsi::nn {

using test::message_of;

namespace {
NetworkConfig small(int base = 4) {
    NetworkConfig config;
    config.base = base;
    return config;
}

}  // namespace

TEST(StateTest, comes_back_from_a_file_bit_for_bit) {
    const test::TempDir dir;
    const std::string path = dir.file("w.safetensors");
    const auto network = make_network(small(), 3), other = make_network(small(), 4);
    write_state(path, state_of(*network), {{"key", "value"}});
    const StateFile file = read_state(path);
    EXPECT_EQ(file.notes.at("key"), "value");
    load_into(*other, file.tensors, path);
    const StateDict expected = state_of(*network);
    for (const auto& [name, tensor] : state_of(*other))
        EXPECT_TRUE(tensor.equal(expected.at(name)));
}

TEST(StateTest, says_what_does_not_fit_with_names_and_counts) {
    const auto network = make_network(small(4), 3), wider = make_network(small(8), 3);
    StateDict state = state_of(*wider);
    state.erase("outconv1.bias");
    state["extra"] = at::zeros({1});
    EXPECT_THAT(message_of([&] { load_into(*network, state, "f"); }),
                testing::AllOf(testing::HasSubstr("1 missing (outconv1.bias)"),
                               testing::HasSubstr("1 unexpected (extra)"),
                               testing::HasSubstr("instead of")));
}

TEST(StateTest, refuses_weights_that_are_not_finite) {
    const test::TempDir dir;
    const std::string path = dir.file("w.safetensors");
    write_state(path, {{"a", at::tensor({1.0F, NAN})}}, {});
    EXPECT_THAT(message_of([&] { read_state(path); }), testing::HasSubstr("not finite"));
}

}  // namespace wsi::nn
