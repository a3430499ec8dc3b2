#include <sqlite3.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "io/nuclei_import.h"

// TIAToolbox's AnnotationStore: rows of a SQLite table, each with a geometry (well-known binary,
// deflated) and properties (JSON).
namespace wsi {

using nlohmann::json;

namespace {

constexpr size_t kMostGeometryBytes = size_t{16} << 20;

/// Well-known binary, either byte order.
class WkbReader {
public:
    explicit WkbReader(const std::string& bytes) : bytes_(bytes) {}

    /// Exterior rings of a polygon or of each part of a multipolygon.
    std::vector<std::vector<RoiPoint>> rings() {
        std::vector<std::vector<RoiPoint>> out;
        geometry(out);
        return out;
    }

private:
    static constexpr uint32_t kPolygon = 3, kMultiPolygon = 6;

    void geometry(std::vector<std::vector<RoiPoint>>& out) {
        swapped_ = take<uint8_t>() == 0;
        const auto type = take<uint32_t>();
        if (type == kPolygon) {
            const auto rings = take<uint32_t>();
            for (uint32_t r = 0; r < rings; ++r) {
                std::vector<RoiPoint> points = ring();
                if (r == 0) out.push_back(std::move(points));
            }
        } else if (type == kMultiPolygon && out.empty()) {
            const auto parts = take<uint32_t>();
            for (uint32_t p = 0; p < parts; ++p) geometry(out);
        } else {
            fail(ErrorKind::Config, "a geometry of type ", type, ", expected a polygon");
        }
    }

    std::vector<RoiPoint> ring() {
        const auto count = take<uint32_t>();
        if (count > (bytes_.size() - at_) / 16) fail(ErrorKind::Config, "a truncated geometry");
        std::vector<RoiPoint> points(count);
        for (RoiPoint& p : points) p = {take<double>(), take<double>()};
        if (count > 1 && points.front().x == points.back().x && points.front().y == points.back().y)
            points.pop_back();
        return points;
    }

    template <class T>
    T take() {
        if (bytes_.size() - at_ < sizeof(T)) fail(ErrorKind::Config, "a truncated geometry");
        char raw[sizeof(T)];
        std::memcpy(raw, bytes_.data() + at_, sizeof(T));
        at_ += sizeof(T);
        if (swapped_) std::reverse(raw, raw + sizeof(T));
        T value;
        std::memcpy(&value, raw, sizeof(T));
        return value;
    }

    const std::string& bytes_;
    size_t at_ = 0;
    bool swapped_ = false;
};

std::string inflated(const std::string& bytes) {
    std::string out(std::max<size_t>(256, 4 * bytes.size()), '\0');
    while (out.size() <= kMostGeometryBytes) {
        uLongf size = out.size();
        const int code = uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                                    reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
        if (code == Z_OK) {
            out.resize(size);
            return out;
        }
        if (code != Z_BUF_ERROR) break;
        out.resize(2 * out.size());
    }
    fail(ErrorKind::Config, "a geometry that cannot be unpacked");
}

class Store {
public:
    explicit Store(const std::string& path) : path_(path) {
        const bool opened =
            sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK;
        if (!opened) refuse();
    }
    ~Store() { sqlite3_close(db_); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Calls use(statement) for every row.
    template <class Use>
    void rows(const char* query, Use&& use) {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v2(db_, query, -1, &raw, nullptr) != SQLITE_OK) refuse();
        const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(
            raw, &sqlite3_finalize);
        int code = 0;
        while ((code = sqlite3_step(raw)) == SQLITE_ROW) use(raw);
        if (code != SQLITE_DONE) refuse();
    }

    static std::string bytes(sqlite3_stmt* row, int column) {
        const auto* data = static_cast<const char*>(sqlite3_column_blob(row, column));
        return data == nullptr
                   ? ""
                   : std::string(data, static_cast<size_t>(sqlite3_column_bytes(row, column)));
    }

private:
    [[noreturn]] void refuse() const {
        fail(ErrorKind::Config, path_, ": not an AnnotationStore, or damaged (",
             sqlite3_errmsg(db_), ")");
    }
    const std::string path_;
    sqlite3* db_ = nullptr;
};

float number_or_nan(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<float>() : NAN;
}

uint8_t class_of(const json& properties, ForeignClasses& classes) {
    const auto type = properties.find("type");
    if (type == properties.end() || type->is_null()) return classes.id_of(NucleusClass{}.name);
    if (type->is_string()) return classes.id_of(type->get<std::string>());
    return classes.id_of("Type " + std::to_string(type->get<int64_t>()));
}

}  // namespace

void read_nuclei_store(const std::string& path, const ForeignFrame&, ForeignClasses& classes,
                       const NucleiSink& sink) {
    Store store(path);
    bool packed = false;
    store.rows("SELECT value FROM metadata WHERE key = 'compression'", [&](sqlite3_stmt* row) {
        packed = Store::bytes(row, 0).find("zlib") != std::string::npos;
    });
    double count = 1;
    store.rows("SELECT COUNT(*) FROM annotations",
               [&](sqlite3_stmt* row) { count = sqlite3_column_double(row, 0); });
    uint64_t record = 0;
    store.rows("SELECT geometry, properties FROM annotations ORDER BY id", [&](sqlite3_stmt* row) {
        ++record;
        if (record % 1024 == 0 && sink.progress) sink.progress(static_cast<double>(record) / count);
        try {
            const std::string blob = Store::bytes(row, 0);
            if (blob.empty()) fail(ErrorKind::Config, "a point, expected a polygon");
            const std::string wkb = packed ? inflated(blob) : blob;
            const json properties = json::parse(Store::bytes(row, 1));
            ForeignNucleus nucleus;
            nucleus.source = record;
            nucleus.class_id = class_of(properties, classes);
            nucleus.class_probability = number_or_nan(properties, "prob");
            nucleus.detection_probability = number_or_nan(properties, "detection_probability");
            for (std::vector<RoiPoint>& ring : WkbReader(wkb).rings()) {
                nucleus.ring = std::move(ring);
                sink.nucleus(ForeignNucleus(nucleus));
            }
        } catch (const json::exception& error) {
            sink.unreadable("annotation " + std::to_string(record) + ": " + error.what());
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Config) throw;
            sink.unreadable("annotation " + std::to_string(record) + ": " + error.what());
        }
    });
}

}  // namespace wsi
