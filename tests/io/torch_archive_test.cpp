#include "io/torch_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "config/error.h"

namespace wsi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// tests/fixtures/weights/make_weights.py made these with PyTorch.
std::string fixture(const std::string& name) {
    return WSI_SOURCE_DIR "/tests/fixtures/weights/" + name;
}

std::string content_of(const std::string& name) {
    std::ifstream in(fixture(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string refusal(const std::string& content) {
    try {
        read_weights_index(std::as_bytes(std::span(content)));
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.what();
    }
    return "accepted";
}

class SameWeightsTest : public testing::TestWithParam<std::pair<const char*, const char*>> {};
TEST_P(SameWeightsTest, as_pytorch_put_into_safetensors) {
    const WeightsFile file(fixture(GetParam().first)), reference(fixture(GetParam().second));
    EXPECT_EQ(file.format(), WeightsFormat::TorchArchive);
    ASSERT_EQ(file.tensors().size(), reference.tensors().size());
    for (const TensorInfo& expected : reference.tensors()) {
        SCOPED_TRACE(expected.name);
        const TensorInfo* got = file.find(expected.name);
        ASSERT_NE(got, nullptr);
        EXPECT_EQ(got->dtype, expected.dtype);
        EXPECT_EQ(got->shape, expected.shape);
        EXPECT_EQ(row_major_bytes(file, *got), row_major_bytes(reference, expected));
    }
}
INSTANTIATE_TEST_SUITE_P(
    All, SameWeightsTest,
    testing::Values(std::pair{"plain.pt", "plain.safetensors"},
                    std::pair{"wrapped.pth", "plain.safetensors"},
                    std::pair{"parallel.pt", "plain.safetensors"},
                    std::pair{"desc.pt", "plain.safetensors"},
                    std::pair{"compiled.pt", "plain.safetensors"},
                    std::pair{"strided.pt", "strided.safetensors"},
                    std::pair{"dtypes.pt", "dtypes.safetensors"}),
    [](const auto& each) {
        return std::string(each.param.first).substr(0, std::string(each.param.first).find('.'));
    });

TEST(TorchArchiveTest, parameters_are_read_like_tensors) {
    const WeightsFile file(fixture("parameters.pt")), plain(fixture("plain.pt"));
    ASSERT_EQ(file.tensors().size(), 4u);
    EXPECT_EQ(row_major_bytes(file, *file.find("conv.weight")),
              row_major_bytes(plain, *plain.find("conv.weight")));
}

TEST(TorchArchiveTest, sizes_and_offsets_beyond_32_bits_are_found_in_their_fields) {
    const WeightsFile file(fixture("zip64.pt"));
    EXPECT_EQ(std::to_integer<int>(file.bytes(*file.find("w"))[5]), 5);
}

TEST(TorchArchiveTest, strides_and_offsets_are_honoured) {
    const WeightsFile file(fixture("strided.pt"));
    const TensorInfo *base = file.find("base"), *part = file.find("part");
    EXPECT_THAT(part->strides, ElementsAre(6, 2));
    EXPECT_EQ(part->offset - base->offset, (6 + 1) * sizeof(float));
    EXPECT_FALSE(is_contiguous(*part));
    EXPECT_EQ(file.bytes(*part).size(), (6 + 2 * 2 + 1) * sizeof(float));
    EXPECT_EQ(file.bytes(*file.find("empty")).size(), 0u);
    std::vector<float> values(6);
    std::memcpy(values.data(), row_major_bytes(file, *part).data(), 24);
    EXPECT_THAT(values, ElementsAre(7, 9, 11, 13, 15, 17));
}

TEST(TorchArchiveTest, settings_around_the_state_dict_are_kept) {
    const WeightsFile file(fixture("wrapped.pth"));
    const auto& settings = file.settings();
    EXPECT_EQ(settings.count("model"), 0u);
    EXPECT_EQ(std::get<int64_t>(settings.at("epoch").value), 7);
    EXPECT_EQ(std::get<int64_t>(settings.at("steps").value), int64_t{1} << 40);
    EXPECT_DOUBLE_EQ(std::get<double>(settings.at("lr").value), 1e-3);
    EXPECT_TRUE(std::get<bool>(settings.at("best").value));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(settings.at("note").value));
    const auto& config = std::get<PlainValue::Dict>(settings.at("config").value);
    EXPECT_EQ(std::get<std::string>(config.at("name").value), "unet");
    EXPECT_EQ(std::get<std::string>(config.at("3").value), "three");
    const auto& sizes = std::get<PlainValue::List>(config.at("sizes").value);
    EXPECT_EQ(std::get<int64_t>(sizes.at(1).value), -300);
    EXPECT_EQ(std::get<PlainValue::List>(config.at("mpp").value).size(), 2u);
}

struct Refused {
    const char* file;
    const char* message;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.file; }
class RefusedArchiveTest : public testing::TestWithParam<Refused> {};
TEST_P(RefusedArchiveTest, names_the_reason) {
    EXPECT_THAT(refusal(content_of(GetParam().file)), HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedArchiveTest,
    testing::Values(
        Refused{"system.pt", "Python object 'posix.system'"},
        Refused{"system_bare.pkl", "is a bare pickle"},
        Refused{"before_1_6.pt", "before PyTorch 1.6"},
        Refused{"whole_module.pt", "'torch.nn.modules.container.Sequential'"},
        Refused{"protocol_4.pt", "protocol 4, expected 2"},
        Refused{"truncated.pt", "lacks its directory"}, Refused{"gap.pt", "ZIP64 record"},
        Refused{"billion.pt", "1000000000 elements of 4 bytes, but that has 8"},
        Refused{"billion_stride_0.pt", "reaches beyond its storage of 2"},
        Refused{"size_overflow.pt", "reaches beyond"},
        Refused{"stride_overflow.pt", "reaches beyond"}, Refused{"beyond.pt", "reaches beyond"},
        Refused{"negative_stride.pt", "an integer -1 in its size or stride"},
        Refused{"negative_offset.pt", "reaches beyond"},
        Refused{"no_storage.pt", "storage '9', which is not in the archive"},
        Refused{"short_storage.pt", "but that has 7 bytes"},
        Refused{"odd_storage.pt", "but that has 9 bytes"},
        Refused{"big_endian.pt", "byte order 'big'"}, Refused{"compressed.pt", "is compressed"},
        Refused{"wrong_zip.pt", "without data.pkl"},
        Refused{"torch_script.pt", "TorchScript program"},
        Refused{"twice.pt", "tensor 'w': is there twice"},
        Refused{"two_models.pt", "under 'state_dict' and under 'model'"},
        Refused{"no_tensors.pt", "its keys are 'epoch', 'net'"},
        Refused{"two_checkpoints.pt", "two checkpoints, 'a/' and 'b/data.pkl'"},
        Refused{"name_by_number.pt", "names a tensor by an integer"},
        Refused{"negated.pt", "has flags"}, Refused{"long_name.pt", "more than 1000 bytes"},
        Refused{"cycle.pt", "in a cycle"}, Refused{"laughs.pt", "bytes of settings"}),
    [](const auto& each) {
        std::string name = each.param.file;
        return name.substr(0, name.find('.'));
    });

TEST(TorchArchiveTest, cut_anywhere_it_is_refused) {
    const std::string whole = content_of("by_hand.pt");
    ASSERT_EQ(refusal(whole), "accepted");
    for (size_t length = 0; length < whole.size(); ++length)
        EXPECT_NE(refusal(whole.substr(0, length)), "accepted") << length;
}

TEST(TorchArchiveTest, a_changed_byte_never_moves_a_tensor_out_of_the_file) {
    const std::string whole = content_of("by_hand.pt");
    for (size_t at = 0; at < whole.size(); ++at)
        for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            std::string damaged = whole;
            damaged[at] = static_cast<char>(value);
            try {
                for (const auto& t : read_weights_index(std::as_bytes(std::span(damaged))).tensors)
                    ASSERT_LE(t.offset + 2 * bytes_per_element(t.dtype), damaged.size()) << at;
            } catch (const Error& error) {
                ASSERT_EQ(error.kind(), ErrorKind::Checkpoint) << at << ": " << error.what();
            }
        }
}

}  // namespace
}  // namespace wsi
