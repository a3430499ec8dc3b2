// Any bytes as the pickle of an otherwise sound archive that has one storage of 64 bytes.
#include "io/torch_archive.h"
#include "tests/fuzz/check_weights.h"

namespace {

std::string number(uint64_t value, int bytes) {
    std::string out;
    for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value & 0xff);
    return out;
}

/// Appends a stored entry to a ZIP archive and its record to the directory.
void add(std::string& archive, std::string& directory, const std::string& name,
         const std::string& content) {
    const std::string sizes = number(content.size(), 4) + number(content.size(), 4);
    const std::string before = number(20, 2) + std::string(12, '\0') + sizes;
    directory += number(0x02014b50, 4) + number(20, 2) + before + number(name.size(), 2) +
                 std::string(12, '\0') + number(archive.size(), 4) + name;
    archive += number(0x04034b50, 4) + before + number(name.size(), 4) + name + content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 1 << 16) return -1;
    std::string archive, directory;
    add(archive, directory, "a/data.pkl", {reinterpret_cast<const char*>(data), size});
    add(archive, directory, "a/data/0", std::string(64, '\0'));
    archive += directory + number(0x06054b50, 4) + number(0, 4) + number(2, 2) + number(2, 2) +
               number(directory.size(), 4) + number(archive.size(), 4) + number(0, 2);
    wsi::fuzz::check_weights(std::as_bytes(std::span(archive)), wsi::read_torch_archive);
    return 0;
}
