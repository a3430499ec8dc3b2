#include "io/block_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "io/atomic_path.h"
#include "io/checksum.h"

namespace wsi {

// Layout: blocks one after the other | header text | ends (u64 each) | sums (u64 each) | trailer.
namespace {
constexpr uint64_t kMagic = 0x31504B4C42495357u;  // "WSIBLKP1"

struct Trailer {
    uint64_t header_bytes = 0, block_count = 0, index_sum = 0, magic = kMagic;
};

void write_all(int fd, const void* bytes, size_t count, const std::string& path) {
    const auto* p = static_cast<const char*>(bytes);
    while (count > 0) {
        const ssize_t n = ::write(fd, p, count);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) output_error(path, "write", errno);
        p += n;
        count -= static_cast<size_t>(n);
    }
}

void read_all(int fd, void* bytes, size_t count, uint64_t offset, const std::string& path) {
    auto* p = static_cast<char*>(bytes);
    while (count > 0) {
        const ssize_t n = ::pread(fd, p, count, static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            fail(ErrorKind::Slide, path, ": ",
                 n < 0 ? std::strerror(errno) : "ends too early; delete it and run again");
        p += n;
        count -= static_cast<size_t>(n);
        offset += static_cast<uint64_t>(n);
    }
}

uint64_t index_sum(const std::string& header, std::span<const uint64_t> ends,
                   std::span<const uint64_t> sums) {
    Checksum sum;
    const auto bytes = [](const auto& v) {
        return std::span(reinterpret_cast<const uint8_t*>(v.data()), v.size() * sizeof(v[0]));
    };
    sum.add(bytes(header));
    sum.add(bytes(ends));
    sum.add(bytes(sums));
    return sum.value();
}
}  // namespace

struct BlockFileWriter::State {
    Checksum sum;
};

BlockFileWriter::BlockFileWriter(std::string path)
    : path_(std::move(path)), temporary_(path_ + ".tmp"), state_(std::make_unique<State>()) {
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) output_error(temporary_, "create", errno);
}

BlockFileWriter::~BlockFileWriter() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(temporary_.c_str());
}

void BlockFileWriter::write(std::span<const uint8_t> bytes) {
    write_all(fd_, bytes.data(), bytes.size(), temporary_);
    state_->sum.add(bytes);
    position_ += bytes.size();
}

void BlockFileWriter::end_block() {
    block_ends_.push_back(position_);
    block_sums_.push_back(state_->sum.value());
    state_->sum = Checksum();
}

void BlockFileWriter::commit(const std::string& header, Durability durability) {
    Trailer trailer{header.size(), block_ends_.size(), index_sum(header, block_ends_, block_sums_)};
    write_all(fd_, header.data(), header.size(), temporary_);
    write_all(fd_, block_ends_.data(), block_ends_.size() * sizeof(uint64_t), temporary_);
    write_all(fd_, block_sums_.data(), block_sums_.size() * sizeof(uint64_t), temporary_);
    write_all(fd_, &trailer, sizeof trailer, temporary_);
    if (durability == Durability::Sync && ::fsync(fd_) != 0)
        output_error(temporary_, "flush", errno);
    const int fd = std::exchange(fd_, -1);
    if (::close(fd) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
        const int code = errno;
        ::unlink(temporary_.c_str());
        output_error(path_, "finish", code);
    }
}

BlockFileReader::BlockFileReader(const std::string& path, Verify verify) : path_(path) {
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(ErrorKind::Slide, "cannot open ", path, ": ", std::strerror(errno));
    const auto size = static_cast<uint64_t>(std::filesystem::file_size(path));
    Trailer trailer;
    const auto refuse = [&] { fail(ErrorKind::Slide, path, ": torn or foreign part file"); };
    if (size < sizeof trailer) refuse();
    read_all(fd_, &trailer, sizeof trailer, size - sizeof trailer, path);
    const uint64_t index_bytes = trailer.block_count * 16;
    if (trailer.magic != kMagic || trailer.block_count > 1u << 20 ||
        trailer.header_bytes > size - sizeof trailer ||
        index_bytes > size - sizeof trailer - trailer.header_bytes)
        refuse();
    const uint64_t data_end = size - sizeof trailer - index_bytes - trailer.header_bytes;
    header_.resize(trailer.header_bytes);
    ends_.resize(trailer.block_count);
    std::vector<uint64_t> sums(trailer.block_count);
    read_all(fd_, header_.data(), header_.size(), data_end, path);
    read_all(fd_, ends_.data(), ends_.size() * 8, data_end + header_.size(), path);
    read_all(fd_, sums.data(), sums.size() * 8, data_end + header_.size() + ends_.size() * 8, path);
    if (trailer.index_sum != index_sum(header_, ends_, sums) ||
        (ends_.empty() ? 0 : ends_.back()) != data_end)
        refuse();
    if (verify == Verify::All) verify_blocks(sums);
}

BlockFileReader::~BlockFileReader() {
    if (fd_ >= 0) ::close(fd_);
}

BlockFileReader::BlockFileReader(BlockFileReader&& other) noexcept
    : path_(std::move(other.path_)),
      header_(std::move(other.header_)),
      fd_(std::exchange(other.fd_, -1)),
      ends_(std::move(other.ends_)) {}

void BlockFileReader::verify_blocks(std::span<const uint64_t> sums) const {
    std::vector<uint8_t> buffer(1 << 20);
    for (size_t block = 0; block < ends_.size(); ++block) {
        Checksum sum;
        for (uint64_t done = 0, size = block_size(block); done < size;) {
            const std::span piece(buffer.data(), std::min<uint64_t>(buffer.size(), size - done));
            read(block, done, piece);
            sum.add(piece);
            done += piece.size();
        }
        if (sum.value() != sums[block])
            fail(ErrorKind::Slide, path_, ": block ", block, " is damaged");
    }
}

void BlockFileReader::read(size_t block, uint64_t offset, std::span<uint8_t> out) const {
    WSI_CHECK(block < ends_.size() && offset + out.size() <= block_size(block), path_, " block ",
              block, " ", offset, "+", out.size());
    read_all(fd_, out.data(), out.size(), start(block) + offset, path_);
}

bool block_file_is_whole(const std::string& path) {
    try {
        const BlockFileReader reader(path, Verify::All);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace wsi
