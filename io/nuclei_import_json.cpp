#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/nuclei_import.h"
#include "io/zipped_stream.h"

// GeoJSON, CellViT and HoVer-Net: a long list of records below one key of the root. Each record is
// parsed as a tree of its own and dropped, so that files of any length can be read.
namespace wsi {

using nlohmann::json;

namespace {

using Rgb = std::array<uint8_t, 3>;

std::vector<RoiPoint> ring_of(const json& points, double scale, double shift_x, double shift_y) {
    std::vector<RoiPoint> ring;
    for (const json& p : points)
        ring.push_back(
            {p.at(0).get<double>() * scale + shift_x, p.at(1).get<double>() * scale + shift_y});
    // The last point of a closed ring is the first again.
    if (ring.size() > 1 && ring.front().x == ring.back().x && ring.front().y == ring.back().y)
        ring.pop_back();
    return ring;
}

float number_or_nan(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<float>() : NAN;
}

std::optional<Rgb> rgb_of(const json& object) {
    const auto found = object.find("color");
    if (found == object.end() || !found->is_array() || found->size() != 3) return std::nullopt;
    return found->get<Rgb>();
}

class JsonReader {
public:
    JsonReader(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
               const NucleiSink& sink)
        : path_(path), frame_(frame), classes_(classes), sink_(sink), file_(path) {}

    void run() {
        json root;
        try {
            root = json::parse(file_.stream(),
                               [this](int depth, json::parse_event_t event, json& value) {
                                   return keep(depth, event, value);
                               });
        } catch (const json::parse_error& error) {
            fail(ErrorKind::Config, path_, " is truncated or not JSON (at byte ", error.byte,
                 "): expected GeoJSON, or the JSON of CellViT or HoVer-Net");
        } catch (const json::out_of_range& error) {
            fail(ErrorKind::Config, path_,
                 " holds a number that no coordinate can be: ", error.what());
        }
        if (root.is_object() && root.value("type", "") == "Feature") take(root, Kind::Feature);
        if (records_ == 0 && !known_root_)
            fail(ErrorKind::Config, path_,
                 " holds no nuclei that are known: expected GeoJSON features, `cells` (CellViT) or "
                 "`nuc` (HoVer-Net)");
        name_classes(root);
    }

private:
    enum class Kind { None, Feature, Cell, Nucleus };

    /// Parser callback: takes complete records out of the tree.
    bool keep(int depth, json::parse_event_t event, json& value) {
        if (depth == 0 && event == json::parse_event_t::array_start) {
            kind_ = Kind::Feature;
            record_depth_ = 1;
            known_root_ = true;
        }
        if (depth == 1 && event == json::parse_event_t::key && record_depth_ != 1) {
            key_ = value.get<std::string>();
            kind_ = key_ == "features" ? Kind::Feature
                    : key_ == "cells"  ? Kind::Cell
                    : key_ == "nuc"    ? Kind::Nucleus
                                       : Kind::None;
            known_root_ = known_root_ || kind_ != Kind::None;
            record_depth_ = 2;
        }
        // What stands before the records says how their coordinates are to be read.
        if (depth == 1 && event == json::parse_event_t::value && key_ == "mag") note(value);
        if (depth == 1 && event == json::parse_event_t::object_end && key_ == "wsi_metadata")
            note_metadata(value);
        if (kind_ == Kind::None || depth != record_depth_) return true;
        if (event == json::parse_event_t::value || event == json::parse_event_t::array_end) {
            sink_.unreadable("record " + std::to_string(++records_) + ": not an object");
            return false;
        }
        if (event != json::parse_event_t::object_end) return true;
        take(value, kind_);
        return false;
    }

    /// HoVer-Net's `mag`: the magnification whose pixels it counts.
    void note(const json& value) {
        if (value.is_number()) mag_ = value.get<double>();
    }
    void note_metadata(const json& value) {
        const double base = number_or_nan(value, "base_mpp");
        const double target = number_or_nan(value, "target_patch_mpp");
        if (base > 0 && target > 0) cellvit_px_ = target / base;
    }

    void take(const json& record, Kind kind) {
        ++records_;
        try {
            if (kind == Kind::Feature) take_feature(record);
            if (kind == Kind::Cell) take_cell(record);
            if (kind == Kind::Nucleus) take_nucleus(record);
        } catch (const json::exception& error) {
            sink_.unreadable("record " + std::to_string(records_) + ": " + error.what());
        }
        if (records_ % 1024 == 0 && sink_.progress) sink_.progress(file_.fraction());
    }

    ForeignNucleus start() const {
        ForeignNucleus nucleus;
        nucleus.source = records_;
        return nucleus;
    }

    void take_feature(const json& feature) {
        const json properties =
            feature.contains("properties") && feature.at("properties").is_object()
                ? feature.at("properties")
                : json::object();
        const std::string type =
            properties.value("objectType", properties.value("object_type", ""));
        if (type == "tile" || type == "tmaCore") return;
        // A cell's own outline is its membrane.
        const char* which = feature.contains("nucleusGeometry") ? "nucleusGeometry" : "geometry";
        const json& geometry = feature.at(which);
        ForeignNucleus nucleus = start();
        nucleus.class_id = class_of(properties);
        if (const auto m = properties.find("measurements"); m != properties.end() && m->is_object())
            nucleus.detection_probability = number_or_nan(*m, "Detection probability");
        const std::string shape = geometry.at("type");
        const auto polygon = [&](const json& rings) {
            nucleus.ring = ring_of(rings.at(0), 1, static_cast<double>(frame_.origin0.x),
                                   static_cast<double>(frame_.origin0.y));
            sink_.nucleus(ForeignNucleus(nucleus));
        };
        if (shape == "Polygon") {
            polygon(geometry.at("coordinates"));
        } else if (shape == "MultiPolygon") {  // CellViT: all nuclei of a class in one
            for (const json& part : geometry.at("coordinates")) polygon(part);
        } else {
            sink_.unreadable("record " + std::to_string(records_) + ": a " + shape +
                             ", expected a Polygon or MultiPolygon");
        }
    }

    uint8_t class_of(const json& properties) {
        const auto found = properties.find("classification");
        if (found != properties.end() && found->is_string())
            return classes_.id_of(found->get<std::string>());
        if (found != properties.end() && found->is_object()) {
            std::string name = found->value("name", "");
            if (const auto names = found->find("names"); name.empty() && names != found->end())
                for (const json& part : *names)
                    name += (name.empty() ? "" : ": ") + part.get<std::string>();
            if (!name.empty()) return classes_.id_of(name, rgb_of(*found));
        }
        const auto type = properties.find("type");  // TIAToolbox
        if (type != properties.end() && type->is_string())
            return classes_.id_of(type->get<std::string>());
        return classes_.id_of(NucleusClass{}.name);
    }

    /// CellViT: contours through the centres of border pixels, whose corner is counted.
    void take_cell(const json& cell) {
        ForeignNucleus nucleus = start();
        const double half = 0.5 * cellvit_px_;
        nucleus.ring = ring_of(cell.at("contour"), 1, half, half);
        nucleus.grow_px = half;
        nucleus.class_probability = number_or_nan(cell, "type_prob");
        nucleus.class_id = numbered_class(cell);
        sink_.nucleus(std::move(nucleus));
    }

    void take_nucleus(const json& record) {
        ForeignNucleus nucleus = start();
        const double px = hovernet_px(), half = 0.5 * px;
        nucleus.ring = ring_of(record.at("contour"), px, half, half);
        nucleus.grow_px = half;
        nucleus.class_probability = number_or_nan(record, "type_prob");
        nucleus.class_id = numbered_class(record);
        sink_.nucleus(std::move(nucleus));
    }

    uint8_t numbered_class(const json& record) {
        const auto type = record.find("type");
        if (type == record.end() || type->is_null()) return classes_.id_of(NucleusClass{}.name);
        if (type->is_string()) return classes_.id_of(type->get<std::string>());
        return classes_.id_of("Type " + std::to_string(type->get<int64_t>()));
    }

    /// Level-0 pixels per pixel of HoVer-Net's magnification.
    double hovernet_px() const {
        if (mag_ <= 0) return 1;
        const SlideInfo& slide = frame_.slide;
        const double power = slide.objective_power.value_or(10 / slide.mpp_x);
        return power / mag_;
    }

    /// CellViT's `type_map` may come after the cells.
    void name_classes(const json& root) {
        if (!root.is_object()) return;
        const auto map = root.find("type_map");
        if (map == root.end() || !map->is_object()) return;
        for (const auto& [key, name] : map->items())
            if (name.is_string()) classes_.rename("Type " + key, name.get<std::string>());
    }

    const std::string path_;
    const ForeignFrame& frame_;
    ForeignClasses& classes_;
    const NucleiSink& sink_;
    ZippedStream file_;
    Kind kind_ = Kind::None;
    int record_depth_ = 2;
    bool known_root_ = false;
    std::string key_;
    uint64_t records_ = 0;
    double mag_ = 0, cellvit_px_ = 1;
};

}  // namespace

void read_nuclei_json(const std::string& path, const ForeignFrame& frame, ForeignClasses& classes,
                      const NucleiSink& sink) {
    JsonReader(path, frame, classes, sink).run();
}

}  // namespace wsi
