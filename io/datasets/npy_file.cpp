#include "io/datasets/npy_file.h"

#include <charconv>

namespace wsi {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// What stands between `before` and `after` in the header's Python dictionary.
std::string between(const std::string& text, const std::string& before, char after,
                    const std::string& path) {
    const size_t from = text.find(before);
    const size_t to = from == std::string::npos ? from : text.find(after, from + before.size());
    if (to == std::string::npos)
        fail(ErrorKind::Config, path, ": no ", before, " in the header of this .npy file");
    return text.substr(from + before.size(), to - from - before.size());
}

size_t whole_number(const std::string& text, const std::string& path) {
    size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        fail(ErrorKind::Config, path, ": '", text, "' in the header is no size");
    return value;
}

}  // namespace

NpyFile::NpyFile(const std::string& path) : file_(path), bytes_(file_.bytes(), path) {
    if (bytes_.size() < 12 || bytes_.text(0, kMagic.size()) != kMagic)
        fail(ErrorKind::Config, path, ": not a NumPy .npy file");
    const bool wide = bytes_.little<uint8_t>(6) > 1;  // version 1: 16-bit header length
    const size_t length = wide ? bytes_.little<uint32_t>(8) : bytes_.little<uint16_t>(8);
    start_ = (wide ? 12 : 10) + length;
    read_header(bytes_.text(wide ? 12 : 10, length));
    size_t count = 1;
    for (const size_t side : shape_)
        if (__builtin_mul_overflow(count, side, &count))
            fail(ErrorKind::Config, path, ": impossible shape");
    if (item_ == 0 || count > (bytes_.size() - start_) / item_)
        fail(ErrorKind::Config, path, ": holds ", bytes_.size() - start_,
             " bytes of data, its header promises more; the file is truncated");
}

void NpyFile::read_header(const std::string& header) {
    const std::string type = between(header, "'descr': '", '\'', path());
    if (type.size() < 3 || type[0] == '>' ||
        std::string_view("biufU").find(type[1]) == std::string_view::npos)
        fail(ErrorKind::Config, path(), ": elements are '", type,
             "'; expected little-endian numbers or text");
    kind_ = type[1];
    item_ = whole_number(type.substr(2), path()) * (kind_ == 'U' ? 4 : 1);
    if (between(header, "'fortran_order': ", ',', path()) != "False")
        fail(ErrorKind::Config, path(),
             ": is in Fortran order; save it with numpy.ascontiguousarray");
    std::string shape = between(header, "'shape': (", ')', path());
    std::erase(shape, ' ');
    for (size_t from = 0; from < shape.size();) {
        const size_t comma = std::min(shape.find(',', from), shape.size());
        shape_.push_back(whole_number(shape.substr(from, comma - from), path()));
        from = comma + 1;
    }
}

double NpyFile::number(size_t index) const {
    const size_t at = start_ + index * item_;
    switch (kind_) {
        case 'f':
            if (item_ == 4) return bytes_.little<float>(at);
            if (item_ == 8) return bytes_.little<double>(at);
            break;
        case 'b':
        case 'u':
            if (item_ == 1) return bytes_.little<uint8_t>(at);
            if (item_ == 2) return bytes_.little<uint16_t>(at);
            if (item_ == 4) return bytes_.little<uint32_t>(at);
            if (item_ == 8) return static_cast<double>(bytes_.little<uint64_t>(at));
            break;
        case 'i':
            if (item_ == 1) return bytes_.little<int8_t>(at);
            if (item_ == 2) return bytes_.little<int16_t>(at);
            if (item_ == 4) return bytes_.little<int32_t>(at);
            if (item_ == 8) return static_cast<double>(bytes_.little<int64_t>(at));
            break;
        default: break;
    }
    fail(ErrorKind::Config, path(), ": no number of ", item_, " bytes of kind '", kind_, "'");
}

std::string NpyFile::text(size_t index) const {
    if (kind_ != 'U') fail(ErrorKind::Config, path(), ": holds no text");
    std::string out;
    for (size_t at = start_ + index * item_; at < start_ + (index + 1) * item_; at += 4) {
        const auto letter = bytes_.little<uint32_t>(at);
        if (letter == 0) break;
        out += letter < 128 ? static_cast<char>(letter) : '?';
    }
    return out;
}

void NpyFile::expect_shape(const std::vector<size_t>& expected) const {
    bool fits = shape_.size() == expected.size();
    for (size_t i = 0; fits && i < expected.size(); ++i)
        fits = expected[i] == 0 || shape_[i] == expected[i];
    if (fits) return;
    const auto shown = [](const std::vector<size_t>& shape) {
        std::string text;
        for (const size_t side : shape)
            text += (text.empty() ? "" : "x") + (side == 0 ? "n" : std::to_string(side));
        return text;
    };
    fail(ErrorKind::Config, path(), ": is ", shown(shape_), "; expected ", shown(expected));
}

}  // namespace wsi
