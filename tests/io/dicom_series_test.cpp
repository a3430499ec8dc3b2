#include "io/dicom_series.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace wsi {
namespace {

constexpr uint32_t kUndefined = 0xFFFFFFFF;
enum class Kind { Explicit, Implicit };

std::string number(uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
    return out;
}

std::string tag(uint32_t value) { return number(value >> 16, 2) + number(value & 0xFFFF, 2); }

std::string element(uint32_t at, const std::string& kind, const std::string& value,
                    Kind form = Kind::Explicit) {
    const auto length = static_cast<uint32_t>(value.size());
    if (form == Kind::Implicit) return tag(at) + number(length, 4) + value;
    if (kind == "OB" || kind == "SQ")
        return tag(at) + kind + number(0, 2) + number(length, 4) + value;
    return tag(at) + kind + number(length, 2) + value;
}

std::string padded(std::string uid) { return uid.size() % 2 ? uid + '\0' : uid; }

/// A sequence whose one item says the series of something else. Both have an end mark, no length.
std::string sequence_with_a_series(Kind form) {
    const std::string head =
        form == Kind::Implicit ? tag(0x00081115) : tag(0x00081115) + "SQ" + number(0, 2);
    return head + number(kUndefined, 4) + tag(0xFFFEE000) + number(kUndefined, 4) +
           element(0x0020000E, "UI", "9.9.9.", form) + tag(0xFFFEE00D) + number(0, 4) +
           tag(0xFFFEE0DD) + number(0, 4);
}

std::string dicom(const std::string& series, Kind form, const std::string& syntax) {
    return std::string(128, '\0') + "DICM" + element(0x00020001, "OB", "ab") +
           element(0x00020010, "UI", padded(syntax)) + element(0x00080008, "CS", "ORIGINAL", form) +
           sequence_with_a_series(form) + element(0x0020000D, "UI", "1.2.", form) +
           element(0x0020000E, "UI", padded(series), form) +
           element(0x00280010, "US", number(256, 2), form);
}

class DicomSeriesTest : public testing::Test {
protected:
    std::string series_of(const std::string& bytes) const {
        std::ofstream(dir_.file("a.dcm"), std::ios::binary) << bytes;
        return dicom_series(dir_.file("a.dcm"));
    }
    test::TempDir dir_;
};

TEST_F(DicomSeriesTest, is_found_in_both_forms_and_not_in_a_sequence) {
    for (const char* series : {"1.2.840.7", "1.2.840.72"}) {  // padded, and not
        EXPECT_EQ(series_of(dicom(series, Kind::Explicit, "1.2.840.10008.1.2.1")), series);
        EXPECT_EQ(series_of(dicom(series, Kind::Explicit, "1.2.840.10008.1.2.4.50")), series);
        EXPECT_EQ(series_of(dicom(series, Kind::Implicit, "1.2.840.10008.1.2")), series);
    }
}

TEST_F(DicomSeriesTest, is_empty_for_what_is_cut_or_no_dicom) {
    const std::string whole = dicom("1.2.840.72", Kind::Explicit, "1.2.840.10008.1.2.1");
    const size_t end = whole.find("1.2.840.72") + 10;
    for (size_t length = 0; length < end; ++length)
        EXPECT_EQ(series_of(whole.substr(0, length)), "") << length;
    EXPECT_EQ(series_of(whole.substr(0, end)), "1.2.840.72");
    EXPECT_EQ(series_of(std::string(100'000, '\xff')), "");
    EXPECT_EQ(series_of(dicom(std::string(5000, '1'), Kind::Explicit, "1.2")), "");
    EXPECT_EQ(series_of(dicom("1.2.840.72", Kind::Explicit, "1.2.840.10008.1.2.2")), "");
    EXPECT_EQ(dicom_series(dir_.file("absent")), "");
}

}  // namespace
}  // namespace wsi
