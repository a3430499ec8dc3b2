#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace wsi {

/// A text file written as a stream, gzipped when its name ends in .gz (without a time stamp, so
/// that the same text gives the same bytes). Stands under its name only after commit().
class TextFile {
public:
    explicit TextFile(const std::string& path);
    ~TextFile();
    void write(std::string_view text);
    void commit();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Appends the shortest text that reads back as the same number.
void append_number(std::string& out, float value);
void append_number(std::string& out, double value);
void append_number(std::string& out, int64_t value);
/// Appends hundredths as a decimal number without trailing zeros: 1250 -> 12.5.
void append_hundredths(std::string& out, int64_t value);

}  // namespace wsi
