#include <cpl_conv.h>
#include <gdal_priv.h>
#include <ogrsf_frmts.h>

#include <cmath>

#include "io/atomic_path.h"
#include "io/export_formats.h"
#include "io/result_layout.h"
#include "io/slide_crs.h"

// GeoPackage and FlatGeobuf through GDAL, in the frame of the GeoTIFFs, so that they overlay them.
namespace wsi {

namespace {

/// Places of the fields in the order they are created; flags, the number in the file of another
/// tool, and features follow.
enum Field { kId, kUuid, kSlide, kClass, kColour, kFirstNumber };

void add_field(OGRLayer& layer, const std::string& name, OGRFieldType type, OGRFieldSubType sub,
               const std::string& path) {
    OGRFieldDefn field(name.c_str(), type);
    field.SetSubType(sub);
    gdal::check(layer.CreateField(&field) == OGRERR_NONE, path);
}

void add_fields(OGRLayer& layer, const ExportSource& source, const std::string& path) {
    const auto add = [&](const std::string& name, OGRFieldType type,
                         OGRFieldSubType sub = OFSTNone) {
        add_field(layer, name, type, sub, path);
    };
    add("id", OFTInteger64);
    add("uuid", OFTString);
    add("slide", OFTString);
    add("class", OFTString);
    add("colour", OFTString);
    for (const auto& c : layout::kFloatColumns)
        if (!layout::is_box(c)) add(c.name, OFTReal, OFSTFloat32);
    for (const auto& c : layout::kFlagColumns) add(c.name, OFTInteger, OFSTBoolean);
    if (source.header().foreign) add("source", OFTInteger64);
    for (const FeatureColumn& c : source.schema()) add(c.name, OFTReal, OFSTFloat32);
}

struct ClassText {
    std::string name, colour;
};

class FeatureWriter {
public:
    FeatureWriter(const ExportSource& source, OGRLayer& layer, const std::string& path)
        : layer_(layer),
          path_(path),
          slide_(source.slide_name()),
          foreign_(source.header().foreign),
          mpp_x_(source.header().slide.mpp_x),
          mpp_y_(source.header().slide.mpp_y) {
        for (size_t id = 0; id < classes_.size(); ++id) {
            const NucleusClass c = source.class_of(static_cast<uint8_t>(id));
            classes_[id] = {c.name, hex_colour(c)};
        }
    }

    void write(const ExportBlock& block, size_t i) {
        OGRFeature feature(layer_.GetLayerDefn());
        const NucleusIdentity& who = block.rows.identity[i];
        feature.SetField(kId, static_cast<GIntBig>(block.first + i + 1));
        feature.SetField(kUuid, block.uuids[i].c_str());
        feature.SetField(kSlide, slide_.c_str());
        feature.SetField(kClass, classes_[who.class_id].name.c_str());
        feature.SetField(kColour, classes_[who.class_id].colour.c_str());
        int field = kFirstNumber;
        for (const auto& c : layout::kFloatColumns)
            if (!layout::is_box(c)) set(feature, field++, who.*c.member);
        for (const auto& c : layout::kFlagColumns)
            feature.SetField(field++, who.flags & c.flag ? 1 : 0);
        if (foreign_) feature.SetField(field++, static_cast<GIntBig>(who.source));
        for (const float value : block.rows.row(i)) set(feature, field++, value);
        set_outline(feature, block.rows.contour(i));
        gdal::check(layer_.CreateFeature(&feature) == OGRERR_NONE, path_);
    }

private:
    /// NaN = undefined = null.
    static void set(OGRFeature& feature, int field, float value) {
        if (std::isnan(value))
            feature.SetFieldNull(field);
        else
            feature.SetField(field, static_cast<double>(value));
    }

    void set_outline(OGRFeature& feature, std::span<const ContourPoint> ring) const {
        auto line = std::make_unique<OGRLinearRing>();
        const auto n = static_cast<int>(ring.size());
        line->setNumPoints(n + 1, FALSE);
        for (int k = 0; k <= n; ++k) {
            const ContourPoint& p = ring[static_cast<size_t>(k % n)];
            line->setPoint(k, p.x / 100.0 * mpp_x_, -p.y / 100.0 * mpp_y_);
        }
        auto polygon = std::make_unique<OGRPolygon>();
        polygon->addRingDirectly(line.release());
        feature.SetGeometryDirectly(polygon.release());
    }

    OGRLayer& layer_;
    const std::string& path_;
    const std::string slide_;
    const bool foreign_;
    const double mpp_x_, mpp_y_;
    std::array<ClassText, 256> classes_;
};

/// The files' own transactions would only cost time: nothing stands under the final name before all
/// is written.
void set_up_sqlite() {
    CPLSetConfigOption("OGR_SQLITE_SYNCHRONOUS", "OFF");
    CPLSetConfigOption("OGR_SQLITE_JOURNAL", "OFF");
    CPLSetConfigOption("OGR_CURRENT_DATE", "1970-01-01T00:00:00.000Z");  // the same bytes each time
}

void export_features(const ExportSource& source, const std::string& path, const char* format,
                     const char* temporary_suffix) {
    gdal::set_up();
    set_up_sqlite();
    AtomicPath target(path, temporary_suffix);
    GDALDriver* driver = GetGDALDriverManager()->GetDriverByName(format);
    if (driver == nullptr)
        fail(ErrorKind::Internal, "GDAL has no ", format, " driver; see `wsi-segment doctor`");
    std::unique_ptr<GDALDataset> file(
        driver->Create(target.temporary().c_str(), 0, 0, 0, GDT_Unknown, nullptr));
    gdal::check(file != nullptr, path);
    OGRSpatialReference crs = gdal::slide_crs();
    OGRLayer* layer = file->CreateLayer("nuclei", &crs, wkbPolygon, nullptr);
    gdal::check(layer != nullptr, path);
    add_fields(*layer, source, path);
    FeatureWriter writer(source, *layer, path);
    source.for_each_block([&](const ExportBlock& block) {
        gdal::check(layer->StartTransaction() == OGRERR_NONE, path);
        for (size_t i = 0; i < block.rows.size(); ++i) writer.write(block, i);
        gdal::check(layer->CommitTransaction() == OGRERR_NONE, path);
    });
    file.reset();  // the spatial index and, for FlatGeobuf, all features are written here
    gdal::check(true, path);
    target.commit();
}

}  // namespace

void export_geopackage(const ExportSource& source, const std::string& path) {
    export_features(source, path, "GPKG", ".tmp.gpkg");
}

void export_flatgeobuf(const ExportSource& source, const std::string& path) {
    export_features(source, path, "FlatGeobuf", ".tmp.fgb");
}

}  // namespace wsi
