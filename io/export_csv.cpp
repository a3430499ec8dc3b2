#include <cmath>

#include "io/export_formats.h"
#include "io/result_layout.h"
#include "io/text_file.h"

namespace wsi {

namespace {

/// As RFC 4180 quotes.
std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

}  // namespace

void export_csv(const ExportSource& source, const std::string& path) {
    TextFile file(path);
    std::string line = "id,uuid,slide,centroid_x_px,centroid_y_px,class";
    const bool foreign = source.header().foreign;
    if (foreign) line += ",source";
    for (const auto& c : layout::kFloatColumns) line += std::string(",") + c.name;
    for (const auto& c : layout::kFlagColumns) line += std::string(",") + c.name;
    for (const FeatureColumn& c : source.schema()) line += "," + c.name;
    file.write(line + "\n");
    std::vector<std::string> classes(256);
    for (size_t id = 0; id < classes.size(); ++id)
        classes[id] = csv_cell(source.class_of(static_cast<uint8_t>(id)).name);
    const std::string slide = ',' + csv_cell(source.slide_name()) + ',';
    const auto add = [&line](float value) {
        line += ',';
        if (!std::isnan(value)) append_number(line, value);
    };
    source.for_each_block([&](const ExportBlock& block) {
        const NucleiBatch& rows = block.rows;
        for (size_t i = 0; i < rows.size(); ++i) {
            const NucleusIdentity& who = rows.identity[i];
            line.clear();
            append_number(line, static_cast<int64_t>(block.first + i + 1));
            line += ',' + block.uuids[i] + slide;
            append_number(line, who.centroid_x_px);
            line += ',';
            append_number(line, who.centroid_y_px);
            line += ',' + classes[who.class_id];
            if (foreign) {
                line += ',';
                append_number(line, int64_t{who.source});
            }
            for (const auto& c : layout::kFloatColumns) add(who.*c.member);
            for (const auto& c : layout::kFlagColumns) line += who.flags & c.flag ? ",1" : ",0";
            for (const float value : rows.row(i)) add(value);
            line += '\n';
            file.write(line);
        }
    });
    file.commit();
}

}  // namespace wsi
