#include "io/block_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

namespace fs = std::filesystem;

std::vector<uint8_t> noise(size_t n) {
    std::mt19937 random(7);
    std::vector<uint8_t> bytes(n);
    for (auto& b : bytes) b = static_cast<uint8_t>(random());
    return bytes;
}

void write_sample(const std::string& path, const std::vector<uint8_t>& a,
                  const std::vector<uint8_t>& b) {
    BlockFileWriter file(path);
    file.write(std::span(a).first(a.size() / 3));  // in pieces: the checksum must not care
    file.write(std::span(a).subspan(a.size() / 3));
    file.end_block();
    file.end_block();  // an empty one
    file.write(b);
    file.end_block();
    file.commit("{\"hello\": 1}", Durability::Sync);
}

TEST(BlockFileTest, reads_back_what_was_written) {
    const test::TempDir dir;
    const auto a = noise(100003), b = noise(17);
    write_sample(dir.file("x"), a, b);
    const BlockFileReader file(dir.file("x"), Verify::All);
    EXPECT_EQ(file.header(), "{\"hello\": 1}");
    ASSERT_EQ(file.blocks(), 3u);
    EXPECT_EQ(file.block_size(0), a.size());
    EXPECT_EQ(file.block_size(1), 0u);
    std::vector<uint8_t> part(1000);
    file.read(0, 5000, part);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), a.begin() + 5000));
    EXPECT_FALSE(fs::exists(dir.file("x.tmp")));
}

TEST(BlockFileTest, any_changed_byte_is_noticed) {
    const test::TempDir dir;
    write_sample(dir.file("x"), noise(300), noise(9));
    const auto size = fs::file_size(dir.file("x"));
    const auto flip = [&](uintmax_t at) {
        std::fstream file(dir.file("x"), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const int old = file.get();
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(old ^ 0x10));
    };
    for (uintmax_t at = 0; at < size; ++at) {
        flip(at);
        EXPECT_FALSE(block_file_is_whole(dir.file("x"))) << "byte " << at;
        flip(at);
    }
    EXPECT_TRUE(block_file_is_whole(dir.file("x")));
}

TEST(BlockFileTest, any_truncation_is_noticed) {
    const test::TempDir dir;
    write_sample(dir.file("x"), noise(300), noise(9));
    const auto size = fs::file_size(dir.file("x"));
    for (uintmax_t keep = 0; keep < size; keep += 13) {
        fs::copy_file(dir.file("x"), dir.file("y"), fs::copy_options::overwrite_existing);
        fs::resize_file(dir.file("y"), keep);
        EXPECT_FALSE(block_file_is_whole(dir.file("y"))) << keep;
    }
}

TEST(BlockFileTest, an_uncommitted_file_leaves_nothing) {
    const test::TempDir dir;
    {
        BlockFileWriter file(dir.file("x"));
        file.write(noise(10));
    }
    EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(BlockFileTest, a_full_disk_is_an_output_error_that_names_the_file) {
    const test::TempDir dir;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    getrlimit(RLIMIT_FSIZE, &old);
    const rlimit small{4096, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    try {
        BlockFileWriter file(dir.file("full"));
        file.write(noise(100000));
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Output);
        EXPECT_THAT(error.what(), testing::HasSubstr("full"));
    }
    setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_TRUE(fs::is_empty(dir.path()));
}

}  // namespace
}  // namespace wsi
