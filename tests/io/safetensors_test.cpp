#include "io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "config/error.h"
#include "io/sha.h"
#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A safetensors file: length, header, as many zero bytes as asked for.
std::string file_of(const std::string& header, size_t data_bytes) {
    const uint64_t length = header.size();
    std::string out(reinterpret_cast<const char*>(&length), sizeof length);
    return out + header + std::string(data_bytes, '\0');
}

WeightsIndex index_of(const std::string& file) {
    return read_weights_index(std::as_bytes(std::span(file)));
}

std::string message_of(const std::string& file) {
    try {
        index_of(file);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.what();
    }
    return "accepted";
}

std::string one(const std::string& fields, size_t data_bytes = 16) {
    return file_of("{\"w\":{" + fields + "}}", data_bytes);
}

TEST(SafetensorsTest, reads_what_it_wrote_in_name_order) {
    const test::TempDir dir;
    const std::vector<float> w{1, 2, 3, 4, 5, 6};
    const std::vector<uint8_t> m{7, 8, 9};
    const std::vector<TensorBytes> tensors{
        {"m", DType::U8, {3}, std::as_bytes(std::span(m))},
        {"b.w", DType::F32, {2, 3}, std::as_bytes(std::span(w))},
        {"scalar", DType::F32, {}, std::as_bytes(std::span(w).first(1))},
        {"none", DType::I64, {0, 4}, {}}};
    write_safetensors(dir.file("x"), tensors, {{"model", "sam"}, {"note", "a \"b\"\n"}});
    const WeightsFile file = open_weights(dir.file("x"));
    EXPECT_EQ(file.format(), WeightsFormat::Safetensors);
    EXPECT_EQ(file.metadata().at("note"), "a \"b\"\n");
    ASSERT_EQ(file.tensors().size(), 4u);
    EXPECT_EQ(file.tensors()[0].name, "b.w");
    EXPECT_EQ(file.tensors()[3].name, "scalar");
    const TensorInfo* t = file.find("b.w");
    ASSERT_NE(t, nullptr);
    EXPECT_THAT(t->shape, ElementsAre(2, 3));
    EXPECT_THAT(t->strides, ElementsAre(3, 1));
    EXPECT_EQ(t->offset % 8, 0u);
    EXPECT_EQ(std::memcmp(file.bytes(*t).data(), w.data(), 24), 0);
    EXPECT_EQ(std::to_integer<int>(file.bytes(*file.find("m"))[2]), 9);
    EXPECT_TRUE(file.bytes(*file.find("none")).empty());
    EXPECT_EQ(file.find("b"), nullptr);
    EXPECT_FALSE(std::filesystem::exists(dir.file("x.tmp")));
}

TEST(SafetensorsTest, same_tensors_in_any_order_give_the_same_bytes_aligned_to_elements) {
    const test::TempDir dir;
    const std::vector<uint8_t> odd(5, 1);
    const std::vector<double> d{1, 2};
    std::vector<TensorBytes> tensors{{"a", DType::U8, {5}, std::as_bytes(std::span(odd))},
                                     {"b", DType::F64, {2}, std::as_bytes(std::span(d))}};
    write_safetensors(dir.file("x"), tensors, {});
    std::swap(tensors[0], tensors[1]);
    write_safetensors(dir.file("y"), tensors, {});
    const WeightsFile x(dir.file("x")), y(dir.file("y"));
    EXPECT_EQ(x.sha256(), y.sha256());
    EXPECT_EQ(x.find("b")->offset % 8, 0u);
    std::ifstream in(dir.file("x"), std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(x.sha256(), sha256_hex(all));
}

TEST(SafetensorsTest, refuses_to_write_nonsense) {
    const test::TempDir dir;
    const std::vector<uint8_t> bytes(8);
    const TensorBytes good{"a", DType::U8, {8}, std::as_bytes(std::span(bytes))};
    TensorBytes bad = good;
    bad.shape = {7};
    EXPECT_THROW(write_safetensors(dir.file("x"), {{bad}}, {}), Error);
    EXPECT_THROW(write_safetensors(dir.file("x"), {{good, good}}, {}), Error);
    bad = good;
    bad.name = "\xff";
    EXPECT_THROW(write_safetensors(dir.file("x"), {{bad}}, {}), Error);
    EXPECT_FALSE(std::filesystem::exists(dir.file("x")));
    EXPECT_THROW(write_safetensors(dir.file("none/x"), {{good}}, {}), Error);
}

TEST(SafetensorsTest, accepts_every_dtype) {
    for (const auto& row : detail::kDTypes) {
        const auto index = index_of(one("\"dtype\":\"" + std::string(row.name) +
                                        "\",\"shape\":[2],\"data_offsets\":[0," +
                                        std::to_string(2 * row.bytes) + "]"));
        EXPECT_EQ(dtype_name(index.tensors.at(0).dtype), row.name);
    }
}

struct BadHeader {
    const char* name;
    std::string file;
    const char* message;
};
void PrintTo(const BadHeader& bad, std::ostream* out) { *out << bad.name; }
class SafetensorsDamageTest : public testing::TestWithParam<BadHeader> {};
TEST_P(SafetensorsDamageTest, is_refused_with_its_reason) {
    EXPECT_THAT(message_of(GetParam().file), HasSubstr(GetParam().message));
}

const std::string kF32 = R"("dtype":"F32",)";
INSTANTIATE_TEST_SUITE_P(
    All, SafetensorsDamageTest,
    testing::Values(
        BadHeader{"dtype", one(R"("dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2])"), "F8_E4M3"},
        BadHeader{"short_data", one(kF32 + R"("shape":[4],"data_offsets":[0,16])", 15),
                  "bytes 0 to 16 of the data, but there are 15"},
        BadHeader{"length", one(kF32 + R"("shape":[3],"data_offsets":[0,16])"), "need 12"},
        BadHeader{"backwards", one(kF32 + R"("shape":[0],"data_offsets":[8,4])"), "8 to 4"},
        BadHeader{"product", one(kF32 + R"("shape":[4294967296,4294967296],"data_offsets":[0,0])"),
                  "overflows"},
        BadHeader{"bytes_overflow",
                  one(kF32 + R"("shape":[4611686018427387904],"data_offsets":[0,0])"), "overflows"},
        BadHeader{"negative", one(kF32 + R"("shape":[-1],"data_offsets":[0,4])"), "negative"},
        BadHeader{"fraction", one(kF32 + R"("shape":[1.0],"data_offsets":[0,4])"), "fraction"},
        BadHeader{"huge", one(kF32 + R"("shape":[1],"data_offsets":[0,18446744073709551615])"),
                  "above 2^63"},
        BadHeader{"three", one(kF32 + R"("shape":[1],"data_offsets":[0,4,8])"), "expected 2"},
        BadHeader{"missing", one(kF32 + R"("shape":[1])"), "lacks"},
        BadHeader{"twice", one(kF32 + kF32 + R"("shape":[1],"data_offsets":[0,4])"), "twice"},
        BadHeader{"extra", one(kF32 + R"("stride":[1])"), "unknown field 'stride'"},
        BadHeader{"deep", one(kF32 + R"("shape":[[[1]]],"data_offsets":[0,4])"), "an array"},
        BadHeader{"nested", one(kF32 + R"("shape":{"a":1},"data_offsets":[0,4])"), "an object"},
        BadHeader{"same_name",
                  file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                          R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                          2),
                  "'a': is listed twice"},
        BadHeader{"overlap",
                  file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                          R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                          8),
                  "'b': shares bytes with 'a'"},
        BadHeader{"control", file_of("{\"a\\n\\u001b[31m\":{}}", 0), R"('a\x0a\x1b[31m': lacks)"},
        BadHeader{"metadata", file_of(R"({"__metadata__":{"a":1}})", 0), "a number"},
        BadHeader{"truth", file_of(R"({"a":true})", 0), "a truth value"},
        BadHeader{"json", file_of("{\"a\":", 0), "no valid JSON"},
        BadHeader{"after", file_of("{} x", 0), "no valid JSON"},
        BadHeader{"header_longer_than_file", std::string("\xff\0\0\0\0\0\0\0{}", 10),
                  "announce a header of 255 bytes"},
        BadHeader{"header_2_to_63", std::string("\0\0\0\0\0\0\0\x80{}", 10), "limit is 100000000"},
        BadHeader{"text", "version https://git-lfs", "starts with 'version https:"},
        BadHeader{"tiny", "{}", "not a weights file"}),
    [](const auto& each) { return each.param.name; });

TEST(SafetensorsTest, dimension_count_is_capped) {
    std::string shape = "1";
    for (int i = 0; i < 64; ++i) shape += ",1";
    EXPECT_THAT(message_of(one(kF32 + "\"shape\":[" + shape + "],\"data_offsets\":[0,4]")),
                HasSubstr("64 dimensions"));
}

TEST(SafetensorsTest, a_header_above_the_limit_is_refused_unread) {
    std::string file = file_of("{}", 0);
    const uint64_t length = 100'000'001;
    std::memcpy(file.data(), &length, sizeof length);
    file.resize(8 + length, ' ');
    EXPECT_THAT(message_of(file), HasSubstr("limit is 100000000"));
}

TEST(WeightsFileTest, what_cannot_be_opened_is_named) {
    const test::TempDir dir;
    std::ofstream(dir.file("empty"));
    for (const std::string& path : {dir.file("none"), dir.file("empty"), dir.path().string()}) {
        try {
            open_weights(path);
            ADD_FAILURE() << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Checkpoint);
            EXPECT_THAT(error.what(), HasSubstr(path));
        }
    }
}

}  // namespace
}  // namespace wsi
