#include <sqlite3.h>
#include <zlib.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/atomic_path.h"
#include "io/export_formats.h"
#include "io/text_file.h"
#include "io/wkb.h"

// TIAToolbox' AnnotationStore, version 1.0.1: SQLite with an R-tree; geometry is zlib(WKB) in
// level-0 pixels, properties are JSON.
namespace wsi {

namespace {

constexpr int kLevel = 6;

// The cache (KiB) holds the index of a few million random uuids, which would else be written to the
// file page by page and read back.
constexpr const char* kSchema = R"(
PRAGMA cache_size = -262144;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA page_size = 4096;
CREATE TABLE metadata (key TEXT UNIQUE, value TEXT);
CREATE VIRTUAL TABLE rtree USING rtree(id, min_x, max_x, min_y, max_y);
CREATE TABLE annotations(id INTEGER PRIMARY KEY, key TEXT UNIQUE, objtype TEXT, cx FLOAT NOT NULL,
  cy FLOAT NOT NULL, geometry BLOB, properties TEXT, area FLOAT NOT NULL);
BEGIN;)";

class Database {
public:
    explicit Database(const AtomicPath& target) : path_(target.path()) {
        ::unlink(target.temporary().c_str());  // left by a run that was killed
        check(sqlite3_open_v2(target.temporary().c_str(), &handle_,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
    }
    ~Database() { sqlite3_close_v2(handle_); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void check(int code) const {
        if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
        fail(ErrorKind::Output, "cannot write ", path_, ": ", sqlite3_errmsg(handle_),
             "; check free disk space and the folder's permissions");
    }
    void run(const std::string& statements) const {
        check(sqlite3_exec(handle_, statements.c_str(), nullptr, nullptr, nullptr));
    }
    void close() {
        check(sqlite3_close(handle_));
        handle_ = nullptr;
    }
    sqlite3* handle() const { return handle_; }

private:
    const std::string path_;
    sqlite3* handle_ = nullptr;
};

/// One INSERT that runs again and again.
class Insert {
public:
    Insert(const Database& database, const char* sql) : database_(database) {
        database.check(sqlite3_prepare_v2(database.handle(), sql, -1, &statement_, nullptr));
    }
    ~Insert() { sqlite3_finalize(statement_); }
    Insert(const Insert&) = delete;
    Insert& operator=(const Insert&) = delete;

    void bind(int place, int64_t value) { sqlite3_bind_int64(statement_, place, value); }
    void bind(int place, double value) { sqlite3_bind_double(statement_, place, value); }
    void bind(int place, const std::string& text) {
        sqlite3_bind_text(statement_, place, text.data(), static_cast<int>(text.size()),
                          SQLITE_STATIC);
    }
    void bind_blob(int place, std::string_view bytes) {
        sqlite3_bind_blob(statement_, place, bytes.data(), static_cast<int>(bytes.size()),
                          SQLITE_STATIC);
    }
    void run() {
        database_.check(sqlite3_step(statement_));
        sqlite3_reset(statement_);
    }

private:
    const Database& database_;
    sqlite3_stmt* statement_ = nullptr;
};

/// zlib streams of small texts: one state for all, and a window no larger than they are, because
/// clearing it costs more than packing an outline.
class Packer {
public:
    Packer() {
        WSI_CHECK(deflateInit2(&stream_, kLevel, Z_DEFLATED, 12, 5, Z_DEFAULT_STRATEGY) == Z_OK);
    }
    ~Packer() { deflateEnd(&stream_); }
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    std::string_view pack(std::string& bytes) {
        deflateReset(&stream_);
        packed_.resize(deflateBound(&stream_, bytes.size()));
        stream_.next_in = reinterpret_cast<Bytef*>(bytes.data());
        stream_.avail_in = static_cast<uInt>(bytes.size());
        stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
        stream_.avail_out = static_cast<uInt>(packed_.size());
        WSI_CHECK(deflate(&stream_, Z_FINISH) == Z_STREAM_END);
        return {packed_.data(), packed_.size() - stream_.avail_out};
    }

private:
    z_stream stream_{};
    std::string packed_;
};

double area_px(std::span<const ContourPoint> ring) {
    int64_t twice = 0;
    for (size_t k = 0; k < ring.size(); ++k) {
        const ContourPoint &p = ring[k], &q = ring[(k + 1) % ring.size()];
        twice += int64_t{p.x} * q.y - int64_t{q.x} * p.y;
    }
    return std::abs(static_cast<double>(twice)) / 2e4;
}

/// The texts in front of values in a row's properties.
struct PropertyTexts {
    explicit PropertyTexts(const ExportSource& source) {
        const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
        for (size_t id = 0; id < type.size(); ++id) {
            const NucleusClass c = source.class_of(static_cast<uint8_t>(id));
            type[id] = R"({"type":)" + quoted(c.name) + R"(,"prob":)";
        }
        slide = R"(,"slide":)" + quoted(source.slide_name()) + R"(,"id":)";
        for (const FeatureColumn& c : source.schema()) name.push_back("," + quoted(c.name) + ":");
        foreign = source.header().foreign;
        several_classes = source.header().classes.size() > 1;
    }
    std::array<std::string, 256> type;
    std::string slide;
    std::vector<std::string> name;
    bool several_classes = false, foreign = false;
};

void write_properties(std::string& out, const PropertyTexts& texts, const ExportBlock& block,
                      size_t i) {
    const NucleusIdentity& who = block.rows.identity[i];
    out = texts.type[who.class_id];
    const float probability =
        texts.several_classes ? who.class_probability : who.detection_probability;
    if (std::isnan(probability))
        out += "null";
    else
        append_number(out, probability);
    out += texts.slide;
    append_number(out, static_cast<int64_t>(block.first + i + 1));
    if (texts.foreign) {
        out += R"(,"source":)";
        append_number(out, int64_t{who.source});
    }
    for (size_t k = 0; k < block.rows.columns; ++k) {
        const float value = block.rows.row(i)[k];
        if (!std::isfinite(value)) continue;
        out += texts.name[k];
        append_number(out, value);
    }
    out += '}';
}

void write_metadata(const Database& database, const ExportSource& source) {
    Insert insert(database, "INSERT INTO metadata VALUES(?, ?)");
    const auto put = [&](const std::string& key, const nlohmann::ordered_json& value) {
        const std::string text = value.dump();
        insert.bind(1, key);
        insert.bind(2, text);
        insert.run();
    };
    put("version", "1.0.1");
    put("compression", "zlib");
    put("compression_level", kLevel);
    put("slide", source.slide_name());
    put("frame", "level-0 pixels, origin top left");
    put("mpp", {source.header().slide.mpp_x, source.header().slide.mpp_y});
    nlohmann::ordered_json colours = nlohmann::ordered_json::object();
    for (const NucleusClass& c : source.header().classes)
        colours[c.name] = {c.rgb[0], c.rgb[1], c.rgb[2]};
    put("class_colours", colours);
}

struct Bounds {
    int32_t x0 = INT32_MAX, y0 = INT32_MAX, x1 = INT32_MIN, y1 = INT32_MIN;
};
Bounds bounds_of(std::span<const ContourPoint> ring) {
    Bounds b;
    for (const ContourPoint& p : ring)
        b = {std::min(b.x0, p.x), std::min(b.y0, p.y), std::max(b.x1, p.x), std::max(b.y1, p.y)};
    return b;
}

/// Annotations and their boxes in turn.
class AnnotationWriter {
public:
    AnnotationWriter(const Database& database, const ExportSource& source)
        : texts_(source),
          annotation_(database, "INSERT INTO annotations VALUES(?, ?, ?, ?, ?, ?, ?, ?)"),
          box_(database, "INSERT INTO rtree VALUES(?, ?, ?, ?, ?)") {}

    void write(const ExportBlock& block, size_t i) {
        const auto id = static_cast<int64_t>(block.first + i + 1);
        const NucleusIdentity& who = block.rows.identity[i];
        const std::span<const ContourPoint> ring = block.rows.contour(i);
        wkb_.clear();
        append_wkb(wkb_, ring);
        write_properties(properties_, texts_, block, i);
        annotation_.bind(1, id);
        annotation_.bind(2, block.uuids[i]);
        annotation_.bind(3, kPolygon);
        annotation_.bind(4, who.centroid_x_px);
        annotation_.bind(5, who.centroid_y_px);
        annotation_.bind_blob(6, packer_.pack(wkb_));
        annotation_.bind(7, properties_);
        annotation_.bind(8, area_px(ring));
        annotation_.run();
        const Bounds b = bounds_of(ring);
        box_.bind(1, id);
        box_.bind(2, b.x0 / 100.0);
        box_.bind(3, b.x1 / 100.0);
        box_.bind(4, b.y0 / 100.0);
        box_.bind(5, b.y1 / 100.0);
        box_.run();
    }

private:
    const std::string kPolygon = "Polygon";
    const PropertyTexts texts_;
    Insert annotation_, box_;
    Packer packer_;
    std::string wkb_, properties_;
};

}  // namespace

void export_annotation_store(const ExportSource& source, const std::string& path) {
    AtomicPath target(path);
    Database database(target);
    database.run(kSchema);
    write_metadata(database, source);
    {
        AnnotationWriter writer(database, source);
        source.for_each_block([&](const ExportBlock& block) {
            for (size_t i = 0; i < block.rows.size(); ++i) writer.write(block, i);
        });
    }
    database.run("CREATE INDEX area ON annotations(area); COMMIT;");
    database.close();
    target.commit();
}

}  // namespace wsi
