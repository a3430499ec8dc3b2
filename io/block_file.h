#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/error.h"

namespace wsi {

enum class Durability {
    Sync,  ///< fsync before the rename: survives a power cut
    Fast   ///< may be torn by a power cut; the checksum then tells
};

/// A self-checksummed file of binary blocks behind one text header: how parts of a run are kept.
/// It stands under its name only when whole (temporary + rename).
class BlockFileWriter {
public:
    /// Throws Error{Output} when the file cannot be created or written.
    explicit BlockFileWriter(std::string path);
    ~BlockFileWriter();  ///< removes the temporary when commit() was not reached
    BlockFileWriter(const BlockFileWriter&) = delete;
    BlockFileWriter& operator=(const BlockFileWriter&) = delete;

    /// Appends to the current block.
    void write(std::span<const uint8_t> bytes);
    template <class T>
    void write_array(std::span<const T> values) {
        write({reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()});
    }
    /// Ends the current block; blocks are numbered from 0.
    void end_block();
    /// `header`: any text (JSON). The file is complete afterwards.
    void commit(const std::string& header, Durability durability);

private:
    void put(const void* bytes, size_t count);
    std::string path_, temporary_;
    int fd_ = -1;
    uint64_t position_ = 0;
    std::vector<uint64_t> block_ends_;
    std::vector<uint64_t> block_sums_;
    struct State;
    std::unique_ptr<State> state_;
};

enum class Verify { All, HeaderOnly };

/// Reads a block file. Thread-safe (pread).
class BlockFileReader {
public:
    /// Throws Error{Slide} when the file is missing, foreign, torn or altered.
    explicit BlockFileReader(const std::string& path, Verify verify = Verify::HeaderOnly);
    ~BlockFileReader();
    BlockFileReader(BlockFileReader&& other) noexcept;
    BlockFileReader& operator=(BlockFileReader&&) = delete;

    const std::string& header() const { return header_; }
    size_t blocks() const { return ends_.size(); }
    uint64_t block_size(size_t block) const { return ends_[block] - start(block); }
    /// `out.size()` bytes from `offset` of a block.
    void read(size_t block, uint64_t offset, std::span<uint8_t> out) const;
    template <class T>
    void read_array(size_t block, uint64_t first, std::span<T> out) const {
        read(block, first * sizeof(T), {reinterpret_cast<uint8_t*>(out.data()), out.size_bytes()});
    }

private:
    uint64_t start(size_t block) const { return block == 0 ? 0 : ends_[block - 1]; }
    void verify_blocks(std::span<const uint64_t> sums) const;
    std::string path_, header_;
    int fd_ = -1;
    std::vector<uint64_t> ends_;
};

/// True when the file is there and every byte of it is as written.
bool block_file_is_whole(const std::string& path);

}  // namespace wsi
