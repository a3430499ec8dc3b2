#include "io/dicom_series.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>

namespace wsi {

namespace {

constexpr uint32_t kTransferSyntax = 0x00020010, kSeries = 0x0020000E;
constexpr uint32_t kItemEnd = 0xFFFEE00D, kSequenceEnd = 0xFFFEE0DD;
constexpr uint32_t kUndefined = 0xFFFFFFFF;  // a length: up to the end mark
constexpr int kMostElements = 100'000;       // before the series: more is no slide
constexpr uint32_t kMostUidBytes = 256;      // 64 by the standard, which not all keep to

struct Element {
    uint32_t tag = 0, length = 0;
};

/// Elements one after the other, those inside sequences too.
class DicomFile {
public:
    explicit DicomFile(const std::string& path) : in_(path, std::ios::binary) {
        char mark[4] = {};
        in_.seekg(128);
        in_.read(mark, 4);
        if (std::string_view(mark, 4) != "DICM") in_.setstate(std::ios::failbit);
    }

    /// How elements are written after the first group; false for what cannot be read here.
    bool use_syntax(const std::string& uid) {
        implicit_kind_ = uid == "1.2.840.10008.1.2";
        const bool big_endian = uid == "1.2.840.10008.1.2.2";
        const bool deflated = uid == "1.2.840.10008.1.2.1.99";
        return !big_endian && !deflated;
    }

    std::optional<Element> next() {
        const uint32_t group = number(2);
        Element out{group << 16 | number(2), 0};
        const bool mark = group == 0xFFFE;
        if (mark || (implicit_kind_ && group != 2))
            out.length = number(4);
        else
            out.length = length_after_kind();
        if (!in_) return std::nullopt;
        return out;
    }

    void skip(uint32_t bytes) { in_.seekg(bytes, std::ios::cur); }

    std::string uid(uint32_t bytes) {
        std::string text(std::min(bytes, kMostUidBytes), '\0');
        in_.read(text.data(), static_cast<std::streamsize>(text.size()));
        if (!in_ || bytes > kMostUidBytes) return "";
        return text.substr(0, text.find_last_not_of(std::string_view(" \0", 2)) + 1);
    }

private:
    uint32_t length_after_kind() {
        const uint32_t kind = number(2);  // two letters
        for (const char* name :
             {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
            if (kind == static_cast<uint32_t>(name[0] | name[1] << 8)) {
                number(2);
                return number(4);
            }
        return number(2);
    }

    uint32_t number(int bytes) {
        std::array<uint8_t, 4> b{};
        in_.read(reinterpret_cast<char*>(b.data()), bytes);
        return static_cast<uint32_t>(b[0]) | static_cast<uint32_t>(b[1]) << 8 |
               static_cast<uint32_t>(b[2]) << 16 | static_cast<uint32_t>(b[3]) << 24;
    }

    std::ifstream in_;
    bool implicit_kind_ = false;  // elements do not say what kind of value they hold
};

}  // namespace

std::string dicom_series(const std::string& path) {
    DicomFile file(path);
    int depth = 0;  // of sequences and items without a length
    for (int i = 0; i < kMostElements; ++i) {
        const auto element = file.next();
        if (!element) return "";
        const auto [tag, length] = *element;
        if (tag == kItemEnd || tag == kSequenceEnd) {
            if (--depth < 0) return "";
        } else if (length == kUndefined) {
            ++depth;
        } else if (tag == kTransferSyntax) {
            if (!file.use_syntax(file.uid(length))) return "";
        } else if (depth == 0 && tag == kSeries) {
            return file.uid(length);
        } else if (depth == 0 && tag > kSeries) {
            return "";  // elements are in the order of their tags
        } else {
            file.skip(length);
        }
    }
    return "";
}

}  // namespace wsi
