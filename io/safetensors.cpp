#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "config/error.h"
#include "io/shown.h"

namespace wsi {

namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // the reference implementation's limit
constexpr size_t kMostDimensions = 64;
constexpr std::string_view kMetadata = "__metadata__";

[[noreturn]] void refuse(std::string_view name, const auto&... parts) {
    fail(ErrorKind::Checkpoint, "tensor ", shown(name), ": ", parts...,
         "; the file is damaged or was not made by a safetensors writer");
}

/// What the header says of one tensor, as it is being read.
struct Entry {
    std::string name, dtype;
    std::vector<int64_t> shape, data_offsets;
    bool has_dtype = false, has_shape = false, has_offsets = false;
};

/// Reads the header event by event, so that no document is built: memory stays in proportion to
/// what a valid header holds, and nothing deeper than name -> field -> number is accepted.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<Entry> entries;
    std::map<std::string, std::string> metadata;

    bool null() override { return unexpected("null"); }
    bool boolean(bool) override { return unexpected("a truth value"); }
    bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
    bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
    bool binary(binary_t&) override { return unexpected("binary data"); }

    bool number_unsigned(number_unsigned_t number) override {
        if (numbers_ == nullptr) return unexpected("a number");
        if (number > static_cast<uint64_t>(INT64_MAX)) return unexpected("a number above 2^63");
        if (numbers_->size() == kMostDimensions) return unexpected("more than 64 dimensions");
        numbers_->push_back(static_cast<int64_t>(number));
        return true;
    }

    bool string(string_t& text) override {
        if (depth_ == 2 && in_metadata_) {
            metadata.insert_or_assign(field_, text);
        } else if (depth_ == 2 && field_ == "dtype") {
            entries.back().dtype = text;
        } else {
            return unexpected("a text");
        }
        return true;
    }

    bool start_object(size_t) override {
        if (depth_ == 2 || numbers_ != nullptr) return unexpected("an object");
        ++depth_;
        return true;
    }

    bool end_object() override {
        --depth_;
        if (depth_ == 1 && !in_metadata_) check_complete();
        return true;
    }

    bool key(string_t& text) override {
        if (depth_ == 1) {
            start_entry(text);
        } else {
            field_ = text;
            if (!in_metadata_) mark_field();
        }
        return true;
    }

    bool start_array(size_t) override {
        if (depth_ != 2 || in_metadata_ || numbers_ != nullptr) return unexpected("an array");
        if (field_ == "shape")
            numbers_ = &entries.back().shape;
        else if (field_ == "data_offsets")
            numbers_ = &entries.back().data_offsets;
        else
            return unexpected("an array");
        return true;
    }

    bool end_array() override {
        numbers_ = nullptr;
        return true;
    }

    bool parse_error(size_t position, const std::string&,
                     const nlohmann::json::exception&) override {
        fail(ErrorKind::Checkpoint, "the safetensors header is no valid JSON at its byte ",
             position, "; the file is damaged, fetch it again");
    }

private:
    void start_entry(const std::string& name) {
        if (!names_.insert(name).second) refuse(name, "is listed twice");
        in_metadata_ = name == kMetadata;
        if (!in_metadata_)
            entries.push_back({.name = name, .dtype = {}, .shape = {}, .data_offsets = {}});
        field_.clear();
    }

    void mark_field() {
        Entry& entry = entries.back();
        bool* const seen = field_ == "dtype"          ? &entry.has_dtype
                           : field_ == "shape"        ? &entry.has_shape
                           : field_ == "data_offsets" ? &entry.has_offsets
                                                      : nullptr;
        if (seen == nullptr) refuse(entry.name, "has an unknown field ", shown(field_));
        if (*seen) refuse(entry.name, "has its ", field_, " twice");
        *seen = true;
    }

    void check_complete() const {
        const Entry& entry = entries.back();
        if (!entry.has_dtype || !entry.has_shape || !entry.has_offsets)
            refuse(entry.name, "lacks its dtype, shape or data_offsets");
    }

    bool unexpected(const char* got) const {
        const std::string where = in_metadata_      ? std::string(kMetadata)
                                  : entries.empty() ? ""
                                                    : entries.back().name;
        fail(ErrorKind::Checkpoint, "the safetensors header has ", got, " where it must not, at ",
             shown(where), " ", shown(field_),
             "; expected {name: {dtype, shape, data_offsets}} and texts in __metadata__");
    }

    std::set<std::string> names_;
    std::string field_;
    std::vector<int64_t>* numbers_ = nullptr;  // the array being read
    int depth_ = 0;
    bool in_metadata_ = false;
};

/// The tensor of an entry, its numbers checked against the bytes that follow the header.
TensorInfo checked_tensor(Entry& entry, uint64_t data_start, uint64_t data_bytes) {
    const auto dtype = dtype_from_name(entry.dtype);
    if (!dtype)
        refuse(entry.name, "has the dtype ", shown(entry.dtype),
               ", expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL");
    if (entry.data_offsets.size() != 2)
        refuse(entry.name, "has ", entry.data_offsets.size(), " data_offsets, expected 2");
    const auto begin = static_cast<uint64_t>(entry.data_offsets[0]);
    const auto end = static_cast<uint64_t>(entry.data_offsets[1]);
    if (begin > end || end > data_bytes)
        refuse(entry.name, "lies at bytes ", begin, " to ", end, " of the data, but there are ",
               data_bytes);
    const auto count = checked_elements(entry.shape);
    uint64_t needed = 0;
    if (!count ||
        __builtin_mul_overflow(static_cast<uint64_t>(*count), bytes_per_element(*dtype), &needed))
        refuse(entry.name, "has a shape whose size overflows");
    if (needed != end - begin)
        refuse(entry.name, "has ", end - begin, " bytes, but its shape and dtype need ", needed);
    TensorInfo info{std::move(entry.name), *dtype, std::move(entry.shape), {}, data_start + begin};
    info.strides = row_major_strides(info.shape);
    return info;
}

/// No byte may belong to two tensors.
void check_apart(const std::vector<TensorInfo>& tensors) {
    std::vector<const TensorInfo*> order;
    for (const TensorInfo& t : tensors)
        if (elements(t) > 0) order.push_back(&t);
    std::ranges::sort(order, {}, &TensorInfo::offset);
    for (size_t i = 1; i < order.size(); ++i) {
        const TensorInfo& before = *order[i - 1];
        const auto count = static_cast<uint64_t>(elements(before));
        if (before.offset + count * bytes_per_element(before.dtype) > order[i]->offset)
            refuse(order[i]->name, "shares bytes with ", shown(before.name));
    }
}

}  // namespace

WeightsIndex read_safetensors_index(std::span<const std::byte> file) {
    uint64_t length = 0;
    if (file.size() < sizeof length)
        fail(ErrorKind::Checkpoint, "has ", file.size(),
             " bytes, a safetensors file has at least 8; fetch it again");
    std::memcpy(&length, file.data(), sizeof length);
    if (length > kLongestHeader || length > file.size() - sizeof length)
        fail(ErrorKind::Checkpoint, "its first 8 bytes announce a header of ", length,
             " bytes, but the file has ", file.size() - sizeof length, " more and the limit is ",
             kLongestHeader, "; it is cut short or no safetensors file, fetch it again");
    const auto* text = reinterpret_cast<const char*>(file.data() + sizeof length);
    HeaderReader header;
    nlohmann::json::sax_parse(text, text + length, &header);
    WeightsIndex index;
    index.metadata = std::move(header.metadata);
    const uint64_t data_start = sizeof length + length;
    for (Entry& entry : header.entries)
        index.tensors.push_back(checked_tensor(entry, data_start, file.size() - data_start));
    check_apart(index.tensors);
    std::ranges::sort(index.tensors, {}, &TensorInfo::name);
    return index;
}

}  // namespace wsi
